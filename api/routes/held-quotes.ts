// Held quotes over HTTP: a price and a vehicle, kept until a rental accepts them by `quoteId`.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { heldQuoteById } from '../../db/queries/held-quotes.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { assertBranch, assertCustomer, ownCustomerId, rowAccessOf } from '../auth/scope.ts';
import { withBands } from '../booked-choices.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { assertKnownPlaces } from '../known-branch.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { sendHold, sendRelease } from '../quote-commands.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { HeldQuote, heldQuoteView, NewHeldQuote } from '../schemas/held-quotes.ts';

const tags = ['Quotes'];
const params = z.object({ id: Id });
const WRITE = {
  scope: 'rentals:write',
  roles: COUNTER,
  customers: 'own',
  partners: true,
} as const;

const create = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/quotes/holds',
  tags,
  summary: 'Keep a vehicle and its price for a while; 409 vehicle-unavailable when none is free',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewHeldQuote) },
  responses: { 201: jsonAnswer('Held', HeldQuote), ...problems },
});

const read = createRoute({
  ...secured({
    scope: 'rentals:read',
    roles: [...COUNTER, 'fleet-planner', ...BOOKS, 'auditor'],
    customers: 'own',
    partners: true,
  }),
  method: 'get',
  path: '/quotes/holds/{id}',
  tags,
  summary: 'One held quote',
  request: { params },
  responses: { 200: jsonAnswer('The quote', HeldQuote), ...problems },
});

const release = createRoute({
  ...secured(WRITE),
  method: 'delete',
  path: '/quotes/holds/{id}',
  tags,
  summary: 'Give the vehicle back; 409 when a rental has accepted the quote',
  request: { params },
  responses: { 200: jsonAnswer('As it ended', HeldQuote), ...problems },
});

export function heldQuoteRoutes(deps: ApiDeps): ApiRouter {
  const { db, now } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async (id) => {
        const wanted = c.req.valid('json');
        const own = ownCustomerId(c);
        const customerId = wanted.customerId ?? own ?? null;
        assertBranch(c, wanted.branchId);
        await assertKnownPlaces(c, db, wanted);
        if (customerId !== null) assertCustomer(c, customerId);
        assertChannel(c, wanted.channel);
        const { kind, id: callerId } = deps.actorOf(c);
        const partnerId = kind === 'partner' ? callerId : undefined;
        const taken = await withBands(c, deps, wanted, wanted);
        const command = { ...taken, id, customerId, ...(partnerId && { partnerId }) };
        const envelope = { commandId: id, actor: deps.actorOf(c), command };
        const held = await namingReferences(sendHold(deps, envelope));
        const headers = { location: `/api/v1/quotes/holds/${id}` };
        return { status: 201, body: heldQuoteView(held, now()), headers };
      }),
    )
    .openapi(read, async (c) => {
      const { id } = c.req.valid('param');
      const held = found(await heldQuoteById(db, rowAccessOf(c), id), 'quote');
      return c.json(heldQuoteView(held, now()), 200);
    })
    .openapi(release, async (c) => {
      const { id } = c.req.valid('param');
      found(await heldQuoteById(db, rowAccessOf(c), id), 'quote');
      const ended = await sendRelease(deps, id, deps.actorOf(c));
      return c.json(heldQuoteView(ended, now()), 200);
    });
}

/** Customers hold online and partners as such, which nobody else does: 403. */
function assertChannel(c: Context<ApiEnv>, channel: z.infer<typeof NewHeldQuote>['channel']): void {
  const { kind } = c.get('caller').actor;
  if (kind === 'customer' && channel !== 'online') {
    throw new ProblemError('forbidden', 'Customers hold quotes online.');
  }
  if ((kind === 'partner') === (channel === 'partner')) return;
  throw new ProblemError('forbidden', 'Partners, and they alone, hold through `partner`.');
}
