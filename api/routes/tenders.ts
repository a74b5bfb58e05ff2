// Payments outside the gateway over HTTP: taken, given back, and what customers still owe.
import { createRoute, z } from '@hono/zod-openapi';
import { refundPayment } from '../../db/commands/tender-refunds.ts';
import { receiveDeposit, receivePayment } from '../../db/commands/tenders.ts';
import { ageing, listOpenInvoices, listPayments } from '../../db/queries/receivables.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  Ageing,
  NewCashDeposit,
  NewPayment,
  NewRefund,
  OpenInvoice,
  Payment,
  PaymentList,
  ReceivablesQuery,
} from '../schemas/tenders.ts';
import { etag } from '../versions.ts';

const tags = ['Payments'];
const params = z.object({ id: Id });
const MONEY = { scope: 'rentals:write', roles: [...COUNTER, ...BOOKS] } as const;
const OWED = { scope: 'accounting:read', roles: ['branch-manager', ...BOOKS, 'auditor'] } as const;

const pay = createRoute({
  ...secured(MONEY, jsonBody),
  method: 'post',
  path: '/invoices/{id}/payments',
  tags,
  summary: 'Take a payment on an invoice: cash, a slip of the terminal, a transfer, or on account',
  description:
    'Never more than is open; of a transfer, the rest stays on the customer’s account. Cash and ' +
    'slips name the open shift of a drawer.',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewPayment) },
  responses: { 201: jsonAnswer('Taken', Payment), ...problems },
});

const deposit = createRoute({
  ...secured(MONEY, jsonBody),
  method: 'post',
  path: '/rentals/{id}/cash-deposit',
  tags,
  summary: 'Take a security deposit in cash or by transfer; invoices are paid out of it',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewCashDeposit) },
  responses: { 201: jsonAnswer('Taken', Payment), ...problems },
});

const refund = createRoute({
  ...secured(MONEY, jsonBody),
  method: 'post',
  path: '/payments/{id}/refunds',
  tags,
  summary: 'Give back of a payment or a deposit, in its own tender; much cash by bank transfer',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewRefund) },
  responses: { 200: jsonAnswer('The payment as it is now', Payment), ...problems },
});

const list = createRoute({
  ...secured({ scope: 'accounting:read', roles: [...COUNTER, ...BOOKS, 'auditor'] }),
  method: 'get',
  path: '/payments',
  tags,
  summary: 'Payments outside the gateway, by invoice, rental and customer',
  request: { query: PaymentList },
  responses: { 200: jsonAnswer('A page', pageOf(Payment)), ...problems },
});

const open = createRoute({
  ...secured(OWED),
  method: 'get',
  path: '/receivables',
  tags,
  summary: 'Invoices that are not settled, in order of issue',
  request: { query: ReceivablesQuery },
  responses: { 200: jsonAnswer('A page', pageOf(OpenInvoice)), ...problems },
});

const aged = createRoute({
  ...secured(OWED),
  method: 'get',
  path: '/receivables/ageing',
  tags,
  summary: 'What each customer owes, by age: up to 30, 60, 90 days, and older',
  request: { query: ReceivablesQuery },
  responses: { 200: jsonAnswer('A page', pageOf(Ageing)), ...problems },
});

export function tenderRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(pay, (c) =>
      idempotent(c, deps, async (id) => {
        const { id: invoiceId } = c.req.valid('param');
        const asked = { ...c.req.valid('json'), id, invoiceId };
        const body = await receivePayment(db, rowAccessOf(c), asked);
        return { status: 201, body, headers: etag(body.version) };
      }),
    )
    .openapi(deposit, (c) =>
      idempotent(c, deps, async (id) => {
        const rental = found(
          await rentalById(db, rowAccessOf(c), c.req.valid('param').id),
          'rental',
        );
        const asked = { ...c.req.valid('json'), id };
        const of = { ...rental, currency: rental.price.currency };
        const body = await receiveDeposit(db, rowAccessOf(c), { ...asked, rental: of });
        return { status: 201, body, headers: etag(body.version) };
      }),
    )
    .openapi(refund, (c) =>
      idempotent(c, deps, async (id) => {
        const { id: paymentId } = c.req.valid('param');
        const limitMinor = c.get('caller').limits.refund;
        const asked = { ...c.req.valid('json'), id, paymentId, limitMinor };
        const body = await refundPayment(db, rowAccessOf(c), asked);
        return { status: 200, body, headers: etag(body.version) };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const payments = await listPayments(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(
          payments,
          ({ id }) => id,
          (payment) => payment,
        ),
        200,
      );
    })
    .openapi(open, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const invoices = await listOpenInvoices(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(
          invoices,
          ({ invoiceId }) => invoiceId,
          (invoice) => invoice,
        ),
        200,
      );
    })
    .openapi(aged, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const customers = await ageing(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(
          customers,
          ({ customerId }) => customerId,
          (one) => one,
        ),
        200,
      );
    });
}
