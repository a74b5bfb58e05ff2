// Credit notes over HTTP: an invoice is taken back as a whole or in part, and never changed.
import { createRoute, z } from '@hono/zod-openapi';
import { creditInvoice } from '../../db/commands/invoice-credits.ts';
import { invoiceById } from '../../db/queries/accounting.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Invoice, NewCreditNote } from '../schemas/accounting.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';

const create = createRoute({
  ...secured({ scope: 'accounting:write', roles: [...COUNTER, ...BOOKS] }, jsonBody),
  method: 'post',
  path: '/invoices/{id}/credit-notes',
  tags: ['Accounting'],
  summary: 'Take an invoice back, as a whole or in part; above one’s limit with an approval',
  request: {
    params: z.object({ id: Id }),
    headers: IdempotencyHeader,
    body: jsonRequest(NewCreditNote),
  },
  responses: { 201: jsonAnswer('The credit note', Invoice), ...problems },
});

export function creditNoteRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter().openapi(create, (c) =>
    idempotent(c, deps, async (id) => {
      const access = rowAccessOf(c);
      const { id: invoiceId } = c.req.valid('param');
      const { lines, ...decision } = c.req.valid('json');
      found(await invoiceById(db, access, invoiceId), 'invoice');
      const { creditNoteId } = await creditInvoice(db, access, {
        ...decision,
        id,
        invoiceId,
        lines,
        actor: deps.actorOf(c),
        at: deps.now(),
        limitMinor: c.get('caller').limits['fee-waiver'],
      });
      const note = found(await invoiceById(db, access, creditNoteId), 'credit note');
      return {
        status: 201,
        body: note,
        headers: { location: `/api/v1/invoices/${creditNoteId}` },
      };
    }),
  );
}
