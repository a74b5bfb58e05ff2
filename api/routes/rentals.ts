// Rentals over HTTP: what can be read of them, and the first command: reserve.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { shownNoShow } from '../../db/kept-until.ts';
import { factsOfRental } from '../../db/queries/events.ts';
import { listRentals, rentalById, rentalByNumber } from '../../db/queries/rentals.ts';
import { type Actor, principalOf } from '../../domain/actor.ts';
import { DomainError } from '../../domain/errors.ts';
import type { RentalRequest, RentalState } from '../../domain/rental.ts';
import { decideRequest } from '../../domain/rental-term.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import {
  assertBranch,
  assertCustomer,
  ownCustomerId,
  rowAccessOf,
  seesCustomers,
} from '../auth/scope.ts';
import { assertQuote, withBands } from '../booked-choices.ts';
import { overriding } from '../booking-override.ts';
import type { BranchZones } from '../branch-zones.ts';
import { channelOf } from '../channel.ts';
import { sendReserve } from '../commands.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { tellFlight } from '../flights.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { assertKnownPlaces } from '../known-branch.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import { Facts } from '../schemas/events.ts';
import { NewRental, Rental, RentalList, RentalNumber, rentalView } from '../schemas/rentals.ts';

const tags = ['Rentals'];

const READ = {
  scope: 'rentals:read',
  roles: [...COUNTER, 'fleet-planner', ...BOOKS, 'auditor'],
  customers: 'own',
} as const;

const create = createRoute({
  ...secured({ scope: 'rentals:write', roles: COUNTER, customers: 'own' }, jsonBody),
  method: 'post',
  path: '/rentals',
  tags,
  summary: 'Reserve a vehicle of a class; 409 vehicle-unavailable when none is free',
  description:
    'Where the class is on request, 202 with a rental that waits for an answer until `answerBy`.',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewRental) },
  responses: {
    201: jsonAnswer('Reserved', Rental),
    202: jsonAnswer('Requested', Rental),
    ...problems,
  },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/rentals',
  tags,
  summary: 'Rentals in order of creation, by branch, state, customer, due time and search',
  request: { query: RentalList },
  responses: { 200: jsonAnswer('A page', pageOf(Rental)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/rentals/{id}',
  tags,
  summary: 'One rental',
  request: { params: z.object({ id: Id }) },
  responses: { 200: jsonAnswer('The rental', Rental), ...problems },
});

const readByNumber = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/rentals/by-number/{number}',
  tags,
  summary: 'One rental by the number on its agreement',
  request: { params: z.object({ number: RentalNumber }) },
  responses: { 200: jsonAnswer('The rental', Rental), ...problems },
});

const facts = createRoute({
  ...secured({ scope: 'rentals:read', roles: READ.roles }),
  method: 'get',
  path: '/rentals/{id}/events',
  tags,
  summary: 'What was told to the world about a rental, in order, and whether it has left yet',
  description: 'The facts about the rental by sequence, then those of its entries and invoice.',
  request: { params: z.object({ id: Id }) },
  responses: { 200: jsonAnswer('Its facts', Facts), ...problems },
});

export function rentalRoutes(deps: ApiDeps, zones: BranchZones): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async (id) => {
        const { override: asked, flight, ...said } = c.req.valid('json');
        assertBranch(c, said.branchId);
        await assertKnownPlaces(c, db, said);
        assertCustomer(c, said.customerId);
        if (said.payerId) assertCustomer(c, said.payerId);
        if (said.agentId) assertStaff(c);
        const wanted = await withBands(c, deps, said, said);
        if (wanted.quoteId) await assertQuote(c, deps, wanted.quoteId);
        const override = asked && (await overriding(c, deps, id, asked));
        const request = { id, ...wanted, override, channel: channelOf(c) };
        const actor = deps.actorOf(c);
        const made = await namingReferences(reserve(deps, actor, request));
        const teller = { rentalId: id, commandId: id, actor, acting: rowAccessOf(c) };
        const state = await tellFlight(deps, teller, made, flight);
        const headers = { location: `/api/v1/rentals/${id}` };
        const status = state.status === 'requested' ? 202 : 201;
        return { status, body: await rentalView(state, zones, c.get('caller')), headers };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, q, ...filter } = c.req.valid('query');
      const search = q === undefined ? q : { text: q.trim(), byCustomer: seesCustomers(c) };
      const customerId = filter.customerId ?? ownCustomerId(c);
      const found = await listRentals(db, rowAccessOf(c), {
        after,
        ...filter,
        customerId,
        search,
      });
      const rows = await Promise.all(
        found.rows.map((state) => rentalView(state, zones, c.get('caller'))),
      );
      const body = page(
        { ...found, rows },
        (row) => row.id,
        (row) => row,
      );
      return c.json(body, 200);
    })
    .openapi(readByNumber, async (c) => {
      const { number } = c.req.valid('param');
      const state = found(await rentalByNumber(db, rowAccessOf(c), number), 'rental');
      return c.json(await rentalView(await awaited(c, deps, state), zones, c.get('caller')), 200);
    })
    .openapi(read, async (c) => {
      const state = found(await rentalById(db, rowAccessOf(c), c.req.valid('param').id), 'rental');
      return c.json(await rentalView(await awaited(c, deps, state), zones, c.get('caller')), 200);
    })
    .openapi(facts, async (c) => {
      const { id } = c.req.valid('param');
      found(await rentalById(db, rowAccessOf(c), id), 'rental');
      return c.json({ items: await factsOfRental(db, id) }, 200);
    });
}

/** What is prepaid by now is kept longer than it was when it was booked. */
async function awaited(c: Context<ApiEnv>, { db }: ApiDeps, state: RentalState) {
  return { ...state, noShowAt: await shownNoShow(db, rowAccessOf(c), state) };
}

/** Who rents promises nobody a commission of ours. */
function assertStaff(c: Context<ApiEnv>): void {
  if (c.get('caller').actor.kind === 'staff') return;
  throw new ProblemError('forbidden', 'Agents are named by our staff.');
}

async function reserve(deps: ApiDeps, actor: Actor, request: RentalRequest): Promise<RentalState> {
  try {
    decideRequest(request, deps.now());
  } catch (error) {
    // A late retry of a request that did take effect: its pick-up time may have passed since.
    const made =
      error instanceof DomainError && (await rentalById(deps.db, principalOf(actor), request.id));
    if (made) return made;
    throw error;
  }
  return sendReserve(deps, { commandId: request.id, actor, command: request });
}
