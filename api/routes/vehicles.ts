// Vehicles: the register of what can be handed out.
import { createRoute, z } from '@hono/zod-openapi';
import { registerVehicle, updateVehicle } from '../../db/commands/vehicles.ts';
import { listVehicles, vehicleById } from '../../db/queries/vehicles.ts';
import { principalOf } from '../../domain/actor.ts';
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

const create = createRoute({
  method: 'post',
  path: '/vehicles',
  tags,
  summary: 'Register a vehicle',
  middleware: jsonBody,
  request: { headers: IdempotencyHeader, body: jsonRequest(NewVehicle) },
  responses: { 201: jsonAnswer('Registered', Vehicle), ...problems },
});

const list = createRoute({
  method: 'get',
  path: '/vehicles',
  tags,
  summary: 'Vehicles in order of registration, by branch, class and status',
  request: { query: VehicleList },
  responses: { 200: jsonAnswer('A page', pageOf(Vehicle)), ...problems },
});

const read = createRoute({
  method: 'get',
  path: '/vehicles/{id}',
  tags,
  summary: 'One vehicle',
  request: { params },
  responses: { 200: jsonAnswer('The vehicle', Vehicle), ...problems },
});

const update = createRoute({
  method: 'patch',
  path: '/vehicles/{id}',
  tags,
  summary: 'Change a vehicle; 412 when it was changed meanwhile, 409 when it is out or booked',
  middleware: jsonBody,
  request: { params, headers: IfMatchHeader, body: jsonRequest(VehicleChange) },
  responses: { 200: jsonAnswer('As it is now', Vehicle), ...problems },
});

export function vehicleRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async (id) => {
        const vehicle = { ...c.req.valid('json'), id };
        const principal = principalOf(deps.actorOf(c));
        const row = await namingReferences(registerVehicle(db, principal, vehicle));
        const headers = { ...etag(row.version), location: `/api/v1/vehicles/${id}` };
        return { status: 201, body: vehicleView(row), headers };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const vehicles = await listVehicles(db, { after, ...filter });
      return c.json(
        page(vehicles, (row) => row.id, vehicleView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const row = found(await vehicleById(db, c.req.valid('param').id), 'vehicle');
      return c.json(vehicleView(row), 200, etag(row.version));
    })
    .openapi(update, async (c) => {
      const { id } = c.req.valid('param');
      const principal = principalOf(deps.actorOf(c));
      const change = given(c.req.valid('json'));
      const row = await namingReferences(updateVehicle(db, principal, id, knownVersion(c), change));
      return c.json(vehicleView(row), 200, etag(row.version));
    });
}
