// Recalls: notices entered once for the company, and what became of each vehicle that they mean.
import { createRoute, z } from '@hono/zod-openapi';
import { v7 as uuidv7 } from 'uuid';
import { liftHold } from '../../db/commands/hold-decisions.ts';
import {
  holdOfRecalled,
  listRecalls,
  recallById,
  recalledVehicles,
} from '../../db/queries/recalls.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import { isLimited, rowAccessOf } from '../auth/scope.ts';
import { sendAmend, sendRecall } from '../commands.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import { Hold, holdView } from '../schemas/holds.ts';
import {
  NewRecall,
  OpenedRecall,
  Recall,
  RecallChange,
  RecalledList,
  RecalledVehicle,
  RecallList,
  Repair,
  recalledView,
  recallView,
} from '../schemas/recalls.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Recalls'];
const params = z.object({ id: Id });
const READ = { scope: 'fleet:read', roles: EVERYONE } as const;

const enter = createRoute({
  ...secured({ scope: 'fleet:write', roles: ['fleet-planner', 'administrator'] }, jsonBody),
  method: 'post',
  path: '/recalls',
  tags,
  summary: 'Enter a notice: every vehicle that it means is held, and its renters are told',
  description:
    'In the US vehicles in possession may not be rented from 24 hours after the notice on, 48 when ' +
    'it means more than 5,000 vehicles of the company. For who works at every branch.',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewRecall) },
  responses: { 201: jsonAnswer('Entered', OpenedRecall), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/recalls',
  tags,
  summary: 'Recalls in the order in which they were entered',
  request: { query: RecallList },
  responses: { 200: jsonAnswer('A page', pageOf(Recall)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/recalls/{id}',
  tags,
  summary: 'One recall and how far it is',
  request: { params },
  responses: { 200: jsonAnswer('The recall', Recall), ...problems },
});

const amend = createRoute({
  ...secured({ scope: 'fleet:write', roles: ['fleet-planner', 'administrator'] }, jsonBody),
  method: 'patch',
  path: '/recalls/{id}',
  tags,
  summary: 'Another deadline or remedy; the holds move with it, until it has come',
  request: { params, headers: IfMatchHeader, body: jsonRequest(RecallChange) },
  responses: { 200: jsonAnswer('As it is now', Recall), ...problems },
});

const vehicles = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/recalls/{id}/vehicles',
  tags,
  summary: 'The vehicles that a recall means, and which rental has each now',
  request: { params, query: RecalledList },
  responses: { 200: jsonAnswer('A page', pageOf(RecalledVehicle)), ...problems },
});

const repair = createRoute({
  ...secured(
    {
      scope: 'fleet:write',
      roles: ['branch-manager', 'fleet-planner', 'technician', 'administrator'],
    },
    jsonBody,
  ),
  method: 'post',
  path: '/recalls/{id}/vehicles/{vehicleId}/repair',
  tags,
  summary: 'The remedy was fitted: its code ends the hold',
  request: {
    params: params.extend({ vehicleId: Id }),
    headers: IdempotencyHeader,
    body: jsonRequest(Repair),
  },
  responses: { 200: jsonAnswer('The lifted hold', Hold), ...problems },
});

export function recallRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(enter, (c) =>
      idempotent(c, deps, async (recallId) => {
        if (isLimited(c)) throw everyBranchOnly();
        const command = { recallId, notice: c.req.valid('json') };
        const actor = deps.actorOf(c);
        const body = await sendRecall(deps, { commandId: recallId, actor, command });
        return { status: 201, body, headers: { location: `/api/v1/recalls/${recallId}` } };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, limit } = c.req.valid('query');
      const recalls = await listRecalls(db, rowAccessOf(c), { after, limit });
      return c.json(
        page(recalls, (row) => row.id, recallView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const row = found(await recallById(db, rowAccessOf(c), c.req.valid('param').id), 'recall');
      return c.json(recallView(row), 200, etag(row.version));
    })
    .openapi(amend, async (c) => {
      if (isLimited(c)) throw everyBranchOnly();
      const { id: recallId } = c.req.valid('param');
      const command = { recallId, version: knownVersion(c), change: c.req.valid('json') };
      found(await recallById(db, rowAccessOf(c), recallId), 'recall');
      await sendAmend(deps, { commandId: uuidv7(), actor: deps.actorOf(c), command });
      const row = found(await recallById(db, rowAccessOf(c), recallId), 'recall');
      return c.json(recallView(row), 200, etag(row.version));
    })
    .openapi(vehicles, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const { id } = c.req.valid('param');
      found(await recallById(db, rowAccessOf(c), id), 'recall');
      const means = await recalledVehicles(db, rowAccessOf(c), id, { after, ...filter });
      return c.json(
        page(means, (row) => row.vehicle_id, recalledView),
        200,
      );
    })
    .openapi(repair, (c) =>
      idempotent(c, deps, async () => {
        const { id, vehicleId } = c.req.valid('param');
        const { repairCode, reason = 'the remedy was fitted' } = c.req.valid('json');
        const access = rowAccessOf(c);
        const holdId = found(await holdOfRecalled(db, access, id, vehicleId), 'recalled vehicle');
        const row = await liftHold(
          db,
          access,
          holdId,
          { repairCode, reason },
          c.get('caller').roles,
        );
        return { status: 200, body: holdView(row), headers: etag(row.version) };
      }),
    );
}

function everyBranchOnly(): ProblemError {
  return new ProblemError('forbidden', 'A recall concerns every branch, not yours alone.');
}
