// Holds: what keeps a vehicle from being handed out, who set it and who ended it.
import { createRoute, z } from '@hono/zod-openapi';
import { applyHold, changeHold, liftHold } from '../../db/commands/hold-decisions.ts';
import { holdById, listHolds, readiness } from '../../db/queries/holds.ts';
import { vehicleById } from '../../db/queries/vehicles.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { given, Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  AppliedHold,
  Hold,
  HoldChange,
  HoldLift,
  HoldList,
  HoldsQuery,
  holdView,
  NewHold,
  Readiness,
  VehicleHoldList,
} from '../schemas/holds.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Holds'];
const params = z.object({ id: Id });
const READ = { scope: 'fleet:read', roles: EVERYONE } as const;
/** Who sees what is wrong with a vehicle. What each may lift is the domain's to say. */
const WRITE = {
  scope: 'fleet:write',
  roles: ['senior-agent', 'branch-manager', 'fleet-planner', 'technician', 'administrator'],
} as const;

const apply = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/vehicles/{id}/holds',
  tags,
  summary: 'Hold a vehicle; the answer lists the bookings that it blocks',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewHold) },
  responses: { 201: jsonAnswer('Held', AppliedHold), ...problems },
});

const listOfVehicle = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/vehicles/{id}/holds',
  tags,
  summary: 'The holds of a vehicle, in the order in which they were set',
  request: { params, query: VehicleHoldList },
  responses: { 200: jsonAnswer('A page', pageOf(Hold)), ...problems },
});

const ready = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/vehicles/{id}/readiness',
  tags,
  summary: 'What the holds of a vehicle say of a time: free, shown, warns or blocks',
  request: { params, query: HoldsQuery },
  responses: { 200: jsonAnswer('What they say', Readiness), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/holds',
  tags,
  summary: 'Holds by branch and type, open or lifted',
  request: { query: HoldList },
  responses: { 200: jsonAnswer('A page', pageOf(Hold)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/holds/{id}',
  tags,
  summary: 'One hold',
  request: { params },
  responses: { 200: jsonAnswer('The hold', Hold), ...problems },
});

const change = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'patch',
  path: '/holds/{id}',
  tags,
  summary: 'Change a hold that a person set; a hard one is never weakened (403 `four-eyes`)',
  request: { params, headers: IfMatchHeader, body: jsonRequest(HoldChange) },
  responses: { 200: jsonAnswer('As it is now', Hold), ...problems },
});

const lift = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/holds/{id}/lift',
  tags,
  summary: 'End a hold',
  description:
    'A recall ends by the code of its repair (422 `repair-code-required`), a hard hold by an ' +
    'approval of kind `hold-release` that was not used yet (403 `four-eyes`), a soft one by a ' +
    'senior agent, planner or manager.',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(HoldLift) },
  responses: { 200: jsonAnswer('Lifted', Hold), ...problems },
});

export function holdRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(apply, (c) =>
      idempotent(c, deps, async (id) => {
        const wanted = { id, vehicleId: c.req.valid('param').id, hold: c.req.valid('json') };
        const { row, affected } = await applyHold(db, rowAccessOf(c), wanted, deps.now());
        const headers = { ...etag(row.version), location: `/api/v1/holds/${id}` };
        return { status: 201, body: { ...holdView(row), affected }, headers };
      }),
    )
    .openapi(listOfVehicle, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const { id: vehicleId } = c.req.valid('param');
      found(await vehicleById(db, rowAccessOf(c), vehicleId), 'vehicle');
      const holds = await listHolds(db, rowAccessOf(c), { after, vehicleId, ...filter });
      return c.json(
        page(holds, (row) => row.id, holdView),
        200,
      );
    })
    .openapi(ready, async (c) => {
      const span = c.req.valid('query');
      const { id } = c.req.valid('param');
      const said = found(await readiness(db, rowAccessOf(c), id, span, deps.now()), 'vehicle');
      const holds = said.holds.map(({ row, says }) => ({ hold: holdView(row), says }));
      return c.json({ ...said, holds }, 200);
    })
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const holds = await listHolds(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(holds, (row) => row.id, holdView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const row = found(await holdById(db, rowAccessOf(c), c.req.valid('param').id), 'hold');
      return c.json(holdView(row), 200, etag(row.version));
    })
    .openapi(change, async (c) => {
      const version = knownVersion(c);
      const { id } = c.req.valid('param');
      const row = await changeHold(db, rowAccessOf(c), id, version, given(c.req.valid('json')));
      return c.json(holdView(row), 200, etag(row.version));
    })
    .openapi(lift, (c) =>
      idempotent(c, deps, async () => {
        const { id } = c.req.valid('param');
        const { roles } = c.get('caller');
        const row = await liftHold(db, rowAccessOf(c), id, c.req.valid('json'), roles);
        return { status: 200, body: holdView(row), headers: etag(row.version) };
      }),
    );
}
