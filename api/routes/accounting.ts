// The books: invoices, what a rental caused in the ledger, and the trial balance.
import { createRoute, z } from '@hono/zod-openapi';
import { entriesOfRental, invoiceById, listInvoices } from '../../db/queries/accounting.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { trialBalance } from '../../db/queries/trial-balance.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { ownCustomerId, rowAccessOf } from '../auth/scope.ts';
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

/** At a counter an invoice is handed out with the receipt of the keys. */
const INVOICES = {
  scope: 'accounting:read',
  roles: [...COUNTER, ...BOOKS, 'auditor'],
  customers: 'own',
} as const;

const list = createRoute({
  ...secured(INVOICES),
  method: 'get',
  path: '/invoices',
  tags,
  summary: 'Invoices in order of issue, by entity, branch, rental, customer and date',
  request: { query: InvoiceList },
  responses: { 200: jsonAnswer('A page', pageOf(InvoiceHeader)), ...problems },
});

const read = createRoute({
  ...secured(INVOICES),
  method: 'get',
  path: '/invoices/{id}',
  tags,
  summary: 'One invoice with its lines and VAT',
  request: { params },
  responses: { 200: jsonAnswer('The invoice', Invoice), ...problems },
});

const entries = createRoute({
  ...secured({ scope: 'accounting:read', roles: ['branch-manager', ...BOOKS, 'auditor'] }),
  method: 'get',
  path: '/rentals/{id}/entries',
  tags,
  summary: 'The ledger entries that a rental caused, in order of posting',
  request: { params },
  responses: { 200: jsonAnswer('Its entries', Entries), ...problems },
});

const trial = createRoute({
  ...secured({ scope: 'accounting:read', roles: [...BOOKS, 'auditor'] }),
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
      const customerId = filter.customerId ?? ownCustomerId(c);
      const invoices = await listInvoices(db, rowAccessOf(c), { after, ...filter, customerId });
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
      return c.json(
        found(await invoiceById(db, rowAccessOf(c), c.req.valid('param').id), 'invoice'),
        200,
      );
    })
    .openapi(entries, async (c) => {
      const { id } = c.req.valid('param');
      found(await rentalById(db, rowAccessOf(c), id), 'rental');
      return c.json({ items: await entriesOfRental(db, id) }, 200);
    })
    .openapi(trial, async (c) => {
      return c.json(await trialBalance(db, c.req.valid('query')), 200);
    });
}
