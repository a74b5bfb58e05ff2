// The books: invoices, what a rental caused in the ledger, and the trial balance.
import { createRoute, z } from '@hono/zod-openapi';
import {
  entriesOfRental,
  invoiceById,
  listInvoices,
  trialBalance,
} from '../../db/queries/accounting.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import type { ApiDeps } from '../deps.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import {
  Entries,
  Invoice,
  InvoiceHeader,
  InvoiceList,
  TrialBalance,
  TrialBalanceQuery,
} from '../schemas/accounting.ts';
import { Id, jsonAnswer, page, pageOf, problems } from '../schemas/common.ts';

const tags = ['Accounting'];
const params = z.object({ id: Id });

const list = createRoute({
  method: 'get',
  path: '/invoices',
  tags,
  summary: 'Invoices in order of issue, by entity, branch, rental, customer and date',
  request: { query: InvoiceList },
  responses: { 200: jsonAnswer('A page', pageOf(InvoiceHeader)), ...problems },
});

const read = createRoute({
  method: 'get',
  path: '/invoices/{id}',
  tags,
  summary: 'One invoice with its lines and VAT',
  request: { params },
  responses: { 200: jsonAnswer('The invoice', Invoice), ...problems },
});

const entries = createRoute({
  method: 'get',
  path: '/rentals/{id}/entries',
  tags,
  summary: 'The ledger entries that a rental caused, in order of posting',
  request: { params },
  responses: { 200: jsonAnswer('Its entries', Entries), ...problems },
});

const trial = createRoute({
  method: 'get',
  path: '/trial-balance',
  tags,
  summary: 'Every account with its debits and credits; the totals balance to 0',
  request: { query: TrialBalanceQuery },
  responses: { 200: jsonAnswer('Accounts and totals', TrialBalance), ...problems },
});

export function accountingRoutes({ db }: Pick<ApiDeps, 'db'>): ApiRouter {
  return apiRouter()
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const invoices = await listInvoices(db, { after, ...filter });
      return c.json(
        page(
          invoices,
          (invoice) => invoice.id,
          (invoice) => invoice,
        ),
        200,
      );
    })
    .openapi(read, async (c) => {
      return c.json(found(await invoiceById(db, c.req.valid('param').id), 'invoice'), 200);
    })
    .openapi(entries, async (c) => {
      const { id } = c.req.valid('param');
      found(await rentalById(db, id), 'rental');
      return c.json({ items: await entriesOfRental(db, id) }, 200);
    })
    .openapi(trial, async (c) => {
      return c.json(await trialBalance(db, c.req.valid('query')), 200);
    });
}
