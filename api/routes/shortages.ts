// Shortage cases over HTTP: what lacks a vehicle, what may help, and what a person decided.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { resolveShortage } from '../../db/commands/shortages.ts';
import { listShortages, proposalsFor, shortageById } from '../../db/queries/shortages.ts';
import { checkResolution, type Resolution } from '../../domain/shortage.ts';
import { secured } from '../auth/access.ts';
import { COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  NewResolution,
  Shortage,
  ShortageList,
  ShortageWithProposals,
  shortageView,
} from '../schemas/shortages.ts';
import { tellRental, walkRental } from '../shortage-commands.ts';

const tags = ['Rentals'];
const params = z.object({ id: Id });
const READ = { scope: 'rentals:read', roles: [...COUNTER, 'fleet-planner'] } as const;

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/shortages',
  tags,
  summary: 'Bookings without a vehicle shortly before pick-up, in the order of their raising',
  request: { query: ShortageList },
  responses: { 200: jsonAnswer('A page', pageOf(Shortage)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/shortages/{id}',
  tags,
  summary: 'One case with what may help now: upgrade, transfer, sub-rental, walk',
  request: { params },
  responses: { 200: jsonAnswer('The case', ShortageWithProposals), ...problems },
});

const resolve = createRoute({
  ...secured(
    {
      scope: 'rentals:write',
      roles: ['senior-agent', 'branch-manager', 'fleet-planner'],
    },
    jsonBody,
  ),
  method: 'post',
  path: '/shortages/{id}/resolve',
  tags,
  summary: 'Help a case by a step of the ladder; only a manager walks a renter to a competitor',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewResolution) },
  responses: { 200: jsonAnswer('As it ended', Shortage), ...problems },
});

export function shortageRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const cases = await listShortages(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(cases, (row) => row.id, shortageView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const row = found(await shortageById(db, rowAccessOf(c), c.req.valid('param').id), 'case');
      const proposals =
        row.step === null
          ? {
              ...(await proposalsFor(db, row.rental_id)),
              otherwise: ['sub_rental', 'walk'] as const,
            }
          : null;
      return c.json({ ...shortageView(row), proposals }, 200);
    })
    .openapi(resolve, (c) => {
      const { id } = c.req.valid('param');
      const resolution = checkResolution(c.req.valid('json'));
      assertMayDecide(c, resolution);
      return idempotent(c, deps, async (commandId) => {
        const access = rowAccessOf(c);
        found(await shortageById(db, access, id), 'case');
        const { row, moved } = await resolveShortage(db, access, id, resolution);
        // Repeated until it is done: the case is resolved, and its rental has to hear of it.
        for (const each of moved) await tellRental(deps, each);
        if (row.step === 'walk') await walkRental(deps, commandId, deps.actorOf(c), row);
        return { status: 200, body: shortageView(row) };
      });
    });
}

/** It costs money and a renter, so the manager says so. */
function assertMayDecide(c: Context<ApiEnv>, { step }: Resolution): void {
  if (step !== 'walk' || c.get('caller').roles.includes('branch-manager')) return;
  throw new ProblemError('forbidden', 'Only a branch manager may walk a renter to a competitor.');
}
