// Relocations over HTTP: surplus and shortage of the coming days, what may help, and doing it.
import { createRoute, type z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { relocationOutlook } from '../../db/queries/relocations.ts';
import { isWithin } from '../../domain/people.ts';
import { proposeMoves } from '../../domain/relocation.ts';
import { secured } from '../auth/access.ts';
import { assertBranch } from '../auth/scope.ts';
import { batchOf, batchResults, eachItem, itemId } from '../batch.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import {
  NewRelocation,
  proposalView,
  RelocationProposal,
  RelocationQuery,
} from '../schemas/relocations.ts';
import { Transfer, transferView } from '../schemas/transfers.ts';
import { sendPlan } from '../transfer-commands.ts';

const PLANNERS = ['fleet-planner', 'branch-manager'] as const;

const propose = createRoute({
  ...secured({ scope: 'fleet:read', roles: PLANNERS }),
  method: 'get',
  path: '/relocations/proposal',
  tags: ['Fleet'],
  summary: 'Surplus and shortage by class and branch, and the drives that lower the shortage',
  request: { query: RelocationQuery },
  responses: {
    200: jsonAnswer('The proposal; nothing is stored', RelocationProposal),
    ...problems,
  },
});

const plan = createRoute({
  ...secured({ scope: 'fleet:write', roles: PLANNERS }, jsonBody),
  method: 'post',
  path: '/relocations',
  tags: ['Fleet'],
  summary: 'Plan a transfer for each of up to 100 moves, with the vehicle that fits best',
  request: {
    headers: IdempotencyHeader,
    body: jsonRequest(batchOf(NewRelocation, 'NewRelocations')),
  },
  responses: {
    200: jsonAnswer('One result an item', batchResults(Transfer, 'PlannedRelocations')),
    ...problems,
  },
});

export function relocationRoutes(deps: ApiDeps): ApiRouter {
  const { db, now } = deps;
  return apiRouter()
    .openapi(propose, async (c) => {
      const { from = now(), days } = c.req.valid('query');
      const { pools, travelMinutes } = await relocationOutlook(db, from, days);
      return c.json(proposalView(from, pools, proposeMoves(pools, travelMinutes)), 200);
    })
    .openapi(plan, (c) =>
      idempotent(c, deps, async (boundId) => {
        const body = await eachItem(c, c.req.valid('json').items, 201, (move, index) =>
          relocate(c, deps, itemId(boundId, index), move),
        );
        return { status: 200, body };
      }),
    );
}

/** Who plans works at one end at least, as for any transfer. */
async function relocate(
  c: Context<ApiEnv>,
  deps: ApiDeps,
  id: string,
  move: z.infer<typeof NewRelocation>,
) {
  const { fromBranchId, toBranchId, classId, departsAt } = move;
  if (!isWithin(c.get('caller').branches, toBranchId)) assertBranch(c, fromBranchId);
  const vehicle = { classId, at: fromBranchId };
  const command = { id, vehicle, toBranchId, driverId: null, departsAt, arrivesAt: null };
  const envelope = { commandId: id, actor: deps.actorOf(c), command };
  return transferView(await namingReferences(sendPlan(deps, envelope)));
}
