// Prepayments over HTTP: taken for a rental, shown, and given back of what is owed back.
import { createRoute, z } from '@hono/zod-openapi';
import { refundPrepayment } from '../../db/commands/prepayment-refunds.ts';
import { receivePrepayment } from '../../db/commands/prepayments.ts';
import { prepaymentOf, prepaymentsOf } from '../../db/queries/prepayments.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { returnPrepaid } from '../../workflows/deposit.messages.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { sendDeposit } from '../deposit-commands.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import {
  NewPrepayment,
  Prepayment,
  PrepaymentRefund,
  Prepayments,
} from '../schemas/prepayments.ts';

const tags = ['Payments'];
const params = z.object({ id: Id });
const MONEY = { scope: 'rentals:write', roles: [...COUNTER, ...BOOKS] } as const;

const list = createRoute({
  ...secured({ scope: 'rentals:read', roles: [...COUNTER, ...BOOKS, 'auditor'] }),
  method: 'get',
  path: '/rentals/{id}/prepayments',
  tags,
  summary: 'What was paid for a rental before the hire',
  request: { params },
  responses: { 200: jsonAnswer('Its prepayments', Prepayments), ...problems },
});

const create = createRoute({
  ...secured(MONEY, jsonBody),
  method: 'post',
  path: '/rentals/{id}/prepayments',
  tags,
  summary: 'Take a payment before the hire; its invoice (386) is issued at once',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewPrepayment) },
  responses: { 201: jsonAnswer('The prepayment', Prepayment), ...problems },
});

const refund = createRoute({
  ...secured(MONEY, jsonBody),
  method: 'post',
  path: '/prepayments/{id}/refund',
  tags,
  summary: 'Give back of a prepayment what its rental owes back',
  description:
    'What a gateway charged goes back to its card; a refusal of that is 402. Where the card would ' +
    'not take a refund, or one came back, `byBank` pays it by bank transfer.',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(PrepaymentRefund) },
  responses: { 200: jsonAnswer('As it is now', Prepayment), ...problems },
});

export function prepaymentRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(list, async (c) => {
      const { id } = c.req.valid('param');
      found(await rentalById(db, rowAccessOf(c), id), 'rental');
      return c.json({ items: await prepaymentsOf(db, rowAccessOf(c), id) }, 200);
    })
    .openapi(create, (c) =>
      idempotent(c, deps, async (id) => {
        const { id: rentalId } = c.req.valid('param');
        const request = { ...c.req.valid('json'), id, rentalId, at: deps.now() };
        found(await rentalById(db, rowAccessOf(c), rentalId), 'rental');
        return { status: 201, body: await receivePrepayment(db, rowAccessOf(c), request) };
      }),
    )
    .openapi(refund, (c) =>
      idempotent(c, deps, async (id) => {
        const { id: prepaymentId } = c.req.valid('param');
        const { shiftId, byBank, ...asked } = c.req.valid('json');
        const actor = deps.actorOf(c);
        const refund = { ...asked, prepaymentId, limitMinor: c.get('caller').limits.refund };
        const known = found(await prepaymentOf(db, rowAccessOf(c), prepaymentId), 'prepayment');
        if (known.tender === 'gateway' && !byBank) {
          const envelope = { commandId: id, actor, command: refund };
          await sendDeposit(deps, known.rentalId, returnPrepaid, envelope);
          const after = found(await prepaymentOf(db, rowAccessOf(c), prepaymentId), 'prepayment');
          return { status: 200, body: after };
        }
        const given = { ...refund, id, shiftId, actor };
        return { status: 200, body: await refundPrepayment(db, rowAccessOf(c), given) };
      }),
    );
}
