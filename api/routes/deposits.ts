// Deposits over HTTP: a rental's hold on a card is made, raised, captured, given back and refunded.
import { createRoute, z } from '@hono/zod-openapi';
import type { UpdateDefinition } from '@temporalio/common';
import type { Context } from 'hono';
import { waiveDeposit } from '../../db/commands/deposit-waivers.ts';
import { holdsOfRental, needOfRental, openHolds } from '../../db/queries/deposits.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import type { DepositState } from '../../domain/payments/deposit.ts';
import * as messages from '../../workflows/deposit.messages.ts';
import type { Envelope } from '../../workflows/rental.messages.ts';
import { type Access, secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { sendDeposit } from '../deposit-commands.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  Deposit,
  DepositAmount,
  DepositRefund,
  ExpiringHold,
  ExpiringList,
  expiringView,
  holdView,
  NewDeposit,
  NewDepositWaiver,
} from '../schemas/deposits.ts';

const tags = ['Deposits'];
const params = z.object({ id: Id });
const AT_COUNTER = { scope: 'rentals:write', roles: COUNTER } as const;
const MONEY = { scope: 'rentals:write', roles: [...COUNTER, ...BOOKS] } as const;
const READ = { scope: 'rentals:read', roles: [...COUNTER, ...BOOKS, 'auditor'] } as const;

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/rentals/{id}/deposit',
  tags,
  summary: 'All holds of a rental, in the order in which they were asked for',
  request: { params },
  responses: { 200: jsonAnswer('The deposit', Deposit), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/deposits/expiring',
  tags,
  summary: 'Open holds by the end of their validity',
  request: { query: ExpiringList },
  responses: { 200: jsonAnswer('A page', pageOf(ExpiringHold)), ...problems },
});

function command<P extends string, B extends z.ZodType>(
  path: P,
  summary: string,
  body: B,
  access: Access = AT_COUNTER,
) {
  return createRoute({
    ...secured(access, jsonBody),
    method: 'post',
    path: `/rentals/{id}/deposit${path}` as const,
    tags,
    summary,
    description: 'A card that is declined is 402 `payment-declined`.',
    request: { params, headers: IdempotencyHeader, body: jsonRequest(body) },
    responses: { 200: jsonAnswer('As it is now', Deposit), ...problems },
  });
}

const authorise = command('', 'Hold an amount on a card, in place of a hold there is', NewDeposit);
const increase = command('/increase', 'Raise the hold to a new total', DepositAmount);
const capture = command(
  '/capture',
  'Take an amount of the hold; the rest is given back',
  DepositAmount,
  MONEY,
);
const refund = command('/refund', 'Give back of what was captured', DepositRefund, MONEY);
const release = createRoute({
  ...secured(AT_COUNTER),
  method: 'post',
  path: '/rentals/{id}/deposit/release',
  tags,
  summary: 'Give the hold back',
  request: { params, headers: IdempotencyHeader },
  responses: { 200: jsonAnswer('As it is now', Deposit), ...problems },
});

const waive = createRoute({
  ...secured({ scope: 'rentals:write', roles: ['branch-manager'] }, jsonBody),
  method: 'post',
  path: '/rentals/{id}/deposit/waiver',
  tags,
  summary: 'Let go of an amount of the deposit that the plan asks for',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewDepositWaiver) },
  responses: { 200: jsonAnswer('The deposit as it is now', Deposit), ...problems },
});

export function depositRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;

  const view = async (c: Context<ApiEnv>, rentalId: string) => {
    const need = found(await needOfRental(db, rowAccessOf(c), rentalId), 'rental');
    const { neededMinor, waivedMinor } = need;
    const holds = await holdsOfRental(db, rowAccessOf(c), rentalId);
    return { rentalId, neededMinor, waivedMinor, holds: holds.map(holdView) };
  };

  /** 404 for a rental that is none of the caller's branches'. */
  const commanded = <C>(
    c: Context<ApiEnv>,
    id: string,
    definition: UpdateDefinition<DepositState, [Envelope<C>]>,
    command: C,
  ) =>
    idempotent(c, deps, async (commandId) => {
      found(await rentalById(db, rowAccessOf(c), id), 'rental');
      await sendDeposit(deps, id, definition, { commandId, actor: deps.actorOf(c), command });
      return { status: 200, body: await view(c, id) };
    });

  return apiRouter()
    .openapi(read, async (c) => {
      return c.json(await view(c, c.req.valid('param').id), 200);
    })
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const holds = await openHolds(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(holds, ({ id }) => id, expiringView),
        200,
      );
    })
    .openapi(authorise, (c) =>
      commanded(c, c.req.valid('param').id, messages.authorise, c.req.valid('json')),
    )
    .openapi(increase, (c) =>
      commanded(c, c.req.valid('param').id, messages.increase, c.req.valid('json')),
    )
    .openapi(capture, (c) =>
      commanded(c, c.req.valid('param').id, messages.capture, c.req.valid('json')),
    )
    .openapi(release, (c) => commanded(c, c.req.valid('param').id, messages.release, {}))
    .openapi(waive, (c) => {
      const { id: rentalId } = c.req.valid('param');
      const limitMinor = c.get('caller').limits['fee-waiver'];
      const asked = { ...c.req.valid('json'), rentalId, limitMinor, actor: deps.actorOf(c) };
      return idempotent(c, deps, async (id) => {
        await waiveDeposit(db, rowAccessOf(c), { id, ...asked });
        return { status: 200, body: await view(c, rentalId) };
      });
    })
    .openapi(refund, (c) => {
      const limitMinor = c.get('caller').limits.refund;
      const command = { ...c.req.valid('json'), limitMinor };
      return commanded(c, c.req.valid('param').id, messages.refund, command);
    });
}
