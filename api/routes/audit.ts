// The audit log: read by auditors and administrators, written by nobody here.
import { createRoute } from '@hono/zod-openapi';
import { type AuditRow, listAudit } from '../../db/queries/audit.ts';
import { secured } from '../auth/access.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { AuditEntry, AuditList } from '../schemas/audit.ts';
import { jsonAnswer, page, pageOf, problems } from '../schemas/common.ts';

const list = createRoute({
  ...secured({ scope: 'people:read', roles: ['auditor', 'administrator'] }),
  method: 'get',
  path: '/audit',
  tags: ['People'],
  summary: 'The audit log, newest first',
  request: { query: AuditList },
  responses: { 200: jsonAnswer('A page', pageOf(AuditEntry)), ...problems },
});

export function auditRoutes({ db }: ApiDeps): ApiRouter {
  return apiRouter().openapi(list, async (c) => {
    const { cursor: after, ...filter } = c.req.valid('query');
    const entries = await listAudit(db, rowAccessOf(c), { after, ...filter });
    return c.json(
      page(entries, (row) => row.id, entryView),
      200,
    );
  });
}

/** `before` and `after` are objects of whatever the command changed. */
function entryView(row: AuditRow) {
  const { before, after } = row as { readonly before: Json | null; readonly after: Json | null };
  return { ...row, before, after };
}
type Json = { readonly [member: string]: never };
