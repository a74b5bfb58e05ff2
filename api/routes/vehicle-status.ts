// The status of vehicles: one command each, refused with what stands in its way.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { changeStatus } from '../../db/commands/vehicle-status.ts';
import type { Role } from '../../domain/people.ts';
import type { StatusCommandName } from '../../domain/vehicle.ts';
import { secured } from '../auth/access.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { numbered } from '../booked-spans.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { SaleHold, StatusChange } from '../schemas/vehicle-status.ts';
import { Vehicle, vehicleView } from '../schemas/vehicles.ts';
import { etag } from '../versions.ts';

/** Day by day at the branch. */
const AT_WORK: readonly Role[] = ['fleet-planner', 'branch-manager', 'administrator'];
/** What leaves the fleet is the company's loss or gain, not a branch's. */
const FOR_GOOD: readonly Role[] = ['fleet-planner', 'administrator'];

function command<S extends z.ZodType>(
  name: StatusCommandName,
  roles: readonly Role[],
  summary: string,
  body: S,
) {
  return createRoute({
    ...secured({ scope: 'fleet:write', roles }, jsonBody),
    method: 'post',
    path: `/vehicles/{id}/${name}`,
    tags: ['Vehicles'],
    summary,
    request: {
      params: z.object({ id: Id }),
      headers: IdempotencyHeader,
      body: jsonRequest(body),
    },
    responses: { 200: jsonAnswer('As it is now', Vehicle), ...problems },
  });
}

const prepare = command(
  'prepare',
  AT_WORK,
  'Take a vehicle into preparation, from an order or out of service',
  StatusChange,
);
const activate = command(
  'activate',
  AT_WORK,
  'Put a vehicle into service; calls off a sale that is planned or held',
  StatusChange,
);
const holdForSale = command(
  'hold-for-sale',
  FOR_GOOD,
  'Keep a vehicle for sale from now or later on; bookings after it move; 409 lists those that cannot',
  SaleHold,
);
const sell = command('sell', FOR_GOOD, 'A vehicle held for sale is sold', StatusChange);
const writeOff = command('write-off', FOR_GOOD, 'A vehicle is lost', StatusChange);
const returnToSupplier = command(
  'return-to-supplier',
  FOR_GOOD,
  'A leased or sub-rented vehicle goes back',
  StatusChange,
);

export function vehicleStatusRoutes(deps: ApiDeps): ApiRouter {
  const run = (
    c: Context<ApiEnv>,
    name: StatusCommandName,
    vehicleId: string,
    body: { readonly reason: string; readonly from?: string | undefined },
  ) =>
    idempotent(c, deps, async (commandId) => {
      const command = { ...body, vehicleId, commandId, name, now: deps.now() };
      const row = await numbered(c, deps, changeStatus(deps.db, rowAccessOf(c), command));
      return { status: 200, body: vehicleView(row), headers: etag(row.version) };
    });
  return apiRouter()
    .openapi(prepare, (c) => run(c, 'prepare', c.req.valid('param').id, c.req.valid('json')))
    .openapi(activate, (c) => run(c, 'activate', c.req.valid('param').id, c.req.valid('json')))
    .openapi(holdForSale, (c) =>
      run(c, 'hold-for-sale', c.req.valid('param').id, c.req.valid('json')),
    )
    .openapi(sell, (c) => run(c, 'sell', c.req.valid('param').id, c.req.valid('json')))
    .openapi(writeOff, (c) => run(c, 'write-off', c.req.valid('param').id, c.req.valid('json')))
    .openapi(returnToSupplier, (c) =>
      run(c, 'return-to-supplier', c.req.valid('param').id, c.req.valid('json')),
    );
}
