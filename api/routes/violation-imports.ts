// Files of tolls and fines: a dry run with a report per row, then all of them or none.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import {
  applyNotices,
  type CheckedNotices,
  checkNotices,
} from '../../db/commands/violation-imports.ts';
import { violationImportById } from '../../db/queries/violations.ts';
import { secured } from '../auth/access.ts';
import { BOOKS } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { itemId } from '../batch.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { IMPORT_MEDIA_TYPES, importBody, importedTable } from '../imports/file.ts';
import { rowReader } from '../imports/rows.ts';
import { fileBody } from '../middleware/upload.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, problems } from '../schemas/common.ts';
import { NewViolation, ViolationImport, violationImportView } from '../schemas/violations.ts';
import { etag } from '../versions.ts';

const tags = ['Tolls and fines'];
const params = z.object({ id: Id });
const access = { scope: 'rentals:write', roles: ['branch-manager', ...BOOKS] } as const;

const MAX_FILE_BYTES = 2 * 1_048_576;
/** Each is matched by itself within one transaction. */
const MAX_NOTICES = 1_000;
const MAX_COLUMNS = 40;

const check = createRoute({
  ...secured(access, fileBody({ maxBytes: MAX_FILE_BYTES, mediaTypes: IMPORT_MEDIA_TYPES })),
  method: 'post',
  path: '/violations/imports',
  tags,
  summary: 'Check a file of up to 1,000 notices; nothing is taken in yet',
  description:
    'CSV (UTF-8; comma, semicolon or tab) or the first sheet of an XLSX workbook. The first row ' +
    'names the columns as `POST /violations` does; case, spaces and underscores do not matter.',
  request: { headers: IdempotencyHeader, body: importBody },
  responses: { 201: jsonAnswer('The report', ViolationImport), ...problems },
});

const read = createRoute({
  ...secured(access),
  method: 'get',
  path: '/violations/imports/{id}',
  tags,
  summary: 'A file of notices and its report; one’s own',
  request: { params },
  responses: { 200: jsonAnswer('The import', ViolationImport), ...problems },
});

const apply = createRoute({
  ...secured(access),
  method: 'post',
  path: '/violations/imports/{id}/apply',
  tags,
  summary: 'Take every notice of a checked file in, or none; 409 `import-refused` with errors',
  request: { params, headers: IdempotencyHeader },
  responses: { 200: jsonAnswer('Applied', ViolationImport), ...problems },
});

const readRows = rowReader(NewViolation, 'notices');

export function violationImportRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(check, (c) =>
      idempotent(c, deps, async (id) => {
        const row = await checkNotices(db, rowAccessOf(c), await checkedFile(c, id));
        const headers = { ...etag(row.version), location: `/api/v1/violations/imports/${id}` };
        return { status: 201, body: violationImportView(row), headers };
      }),
    )
    .openapi(read, async (c) => {
      const row = await violationImportById(db, rowAccessOf(c), c.req.valid('param').id);
      const known = found(row, 'import');
      return c.json(violationImportView(known), 200, etag(known.version));
    })
    .openapi(apply, (c) =>
      idempotent(c, deps, async () => {
        const row = await applyNotices(db, rowAccessOf(c), c.req.valid('param').id);
        return { status: 200, body: violationImportView(found(row, 'import')) };
      }),
    );
}

async function checkedFile(c: Context<ApiEnv>, id: string): Promise<CheckedNotices> {
  const limits = { rows: MAX_NOTICES, columns: MAX_COLUMNS };
  const { file, rows: table, broken } = await importedTable(c.get('bodyBytes'), 'notices', limits);
  if (broken.length > 0) return { ...file, id, notices: [], problems: broken };
  const { good, problems: faults } = readRows(table);
  const notices = good.map(({ row, body }) => ({ row, notice: { ...body, id: itemId(id, row) } }));
  return { ...file, id, notices, problems: faults };
}
