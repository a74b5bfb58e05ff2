// Vehicles: the register of what can be handed out.
import { createRoute, z } from '@hono/zod-openapi';
import { registerVehicle, updateVehicle } from '../../db/commands/vehicles.ts';
import { listVehicles, vehicleById } from '../../db/queries/vehicles.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import { assertBranch, isLimited, rowAccessOf } from '../auth/scope.ts';
import { batchOf, batchResults, eachItem, itemId } from '../batch.ts';
import type { ApiDeps } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { given, Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  NewVehicle,
  Vehicle,
  VehicleChange,
  VehicleList,
  vehicleView,
} from '../schemas/vehicles.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Vehicles'];
const params = z.object({ id: Id });

const READ = { scope: 'fleet:read', roles: EVERYONE } as const;
const WRITE = {
  scope: 'fleet:write',
  roles: ['fleet-planner', 'branch-manager', 'administrator'],
} as const;

const create = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/vehicles',
  tags,
  summary: 'Register a vehicle',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewVehicle) },
  responses: { 201: jsonAnswer('Registered', Vehicle), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/vehicles',
  tags,
  summary: 'Vehicles in order of registration, by branch, class and status',
  request: { query: VehicleList },
  responses: { 200: jsonAnswer('A page', pageOf(Vehicle)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/vehicles/{id}',
  tags,
  summary: 'One vehicle',
  request: { params },
  responses: { 200: jsonAnswer('The vehicle', Vehicle), ...problems },
});

const update = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'patch',
  path: '/vehicles/{id}',
  tags,
  summary: 'Change a vehicle; 412 when it was changed meanwhile, 409 when it is out or booked',
  request: { params, headers: IfMatchHeader, body: jsonRequest(VehicleChange) },
  responses: { 200: jsonAnswer('As it is now', Vehicle), ...problems },
});

const createMany = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/vehicles/batch',
  tags,
  summary: 'Register up to 100 vehicles; one that is refused keeps no other out',
  request: { headers: IdempotencyHeader, body: jsonRequest(batchOf(NewVehicle, 'NewVehicles')) },
  responses: {
    200: jsonAnswer('One result an item', batchResults(Vehicle, 'RegisteredVehicles')),
    ...problems,
  },
});

export function vehicleRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async (id) => {
        const vehicle = { ...c.req.valid('json'), id };
        assertBranch(c, vehicle.branchId);
        const row = await namingReferences(registerVehicle(db, rowAccessOf(c), vehicle));
        const headers = { ...etag(row.version), location: `/api/v1/vehicles/${id}` };
        return { status: 201, body: vehicleView(row), headers };
      }),
    )
    .openapi(createMany, (c) =>
      idempotent(c, deps, async (boundId) => {
        const body = await eachItem(c, c.req.valid('json').items, 201, async (item, index) => {
          assertBranch(c, item.branchId);
          const vehicle = { ...item, id: itemId(boundId, index) };
          return vehicleView(await namingReferences(registerVehicle(db, rowAccessOf(c), vehicle)));
        });
        return { status: 200, body };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const vehicles = await listVehicles(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(vehicles, (row) => row.id, vehicleView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const row = found(await vehicleById(db, rowAccessOf(c), c.req.valid('param').id), 'vehicle');
      return c.json(vehicleView(row), 200, etag(row.version));
    })
    .openapi(update, async (c) => {
      const { id } = c.req.valid('param');
      const access = rowAccessOf(c);
      const change = given(c.req.valid('json'));
      const version = knownVersion(c);
      // Nothing may be told of one that is not visible: neither that it is booked nor its version.
      if (isLimited(c)) found(await vehicleById(db, access, id), 'record');
      assertBranch(c, change.branchId);
      const row = await namingReferences(updateVehicle(db, access, id, version, change));
      return c.json(vehicleView(row), 200, etag(row.version));
    });
}
