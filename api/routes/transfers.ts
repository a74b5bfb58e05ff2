// Transfers over HTTP: planned by who plans the fleet, driven by who stands at the counters.
import { createRoute, z } from '@hono/zod-openapi';
import type { UpdateDefinition } from '@temporalio/common';
import type { Context } from 'hono';
import { staffById } from '../../db/queries/people.ts';
import { listTransfers, transferById } from '../../db/queries/transfers.ts';
import { vehicleById } from '../../db/queries/vehicles.ts';
import { isWithin } from '../../domain/people.ts';
import type { TransferState } from '../../domain/transfer.ts';
import type { Envelope } from '../../workflows/rental.messages.ts';
import * as messages from '../../workflows/transfer.messages.ts';
import { secured } from '../auth/access.ts';
import { COUNTER, EVERYONE } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  NewTransfer,
  Transfer,
  TransferArrival,
  TransferCancellation,
  TransferDeparture,
  TransferList,
  transferView,
} from '../schemas/transfers.ts';
import { sendPlan, sendTransfer } from '../transfer-commands.ts';

const tags = ['Fleet'];
const params = z.object({ id: Id });
const PLAN = { scope: 'fleet:write', roles: ['fleet-planner', 'branch-manager'] } as const;
const DRIVE = { scope: 'fleet:write', roles: [...COUNTER, 'fleet-planner'] } as const;
const READ = { scope: 'fleet:read', roles: EVERYONE } as const;

const create = createRoute({
  ...secured(PLAN, jsonBody),
  method: 'post',
  path: '/transfers',
  tags,
  summary: 'Plan a drive to another branch; 409 vehicle-unavailable lists what is in the way',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewTransfer) },
  responses: { 201: jsonAnswer('Planned', Transfer), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/transfers',
  tags,
  summary: 'Transfers from or to a branch, in the order of their planning',
  request: { query: TransferList },
  responses: { 200: jsonAnswer('A page', pageOf(Transfer)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/transfers/{id}',
  tags,
  summary: 'One transfer, with the commands that are allowed now',
  request: { params },
  responses: { 200: jsonAnswer('The transfer', Transfer), ...problems },
});

const depart = createRoute({
  ...secured(DRIVE, jsonBody),
  method: 'post',
  path: '/transfers/{id}/depart',
  tags,
  summary: 'The driver has the keys',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(TransferDeparture) },
  responses: { 200: jsonAnswer('Under way', Transfer), ...problems },
});

const arrive = createRoute({
  ...secured(DRIVE, jsonBody),
  method: 'post',
  path: '/transfers/{id}/arrive',
  tags,
  summary: 'The vehicle is at its new branch',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(TransferArrival) },
  responses: { 200: jsonAnswer('Arrived', Transfer), ...problems },
});

const cancel = createRoute({
  ...secured(PLAN, jsonBody),
  method: 'post',
  path: '/transfers/{id}/cancel',
  tags,
  summary: 'Nobody drives; bookings that relied on its arrival move',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(TransferCancellation) },
  responses: { 200: jsonAnswer('Cancelled', Transfer), ...problems },
});

export function transferRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;

  /** 404 for a transfer with neither end in the caller's scope. */
  const commanded = <C>(
    c: Context<ApiEnv>,
    id: string,
    definition: UpdateDefinition<TransferState, [Envelope<C>]>,
    command: C,
  ) =>
    idempotent(c, deps, async (commandId) => {
      found(await transferById(db, rowAccessOf(c), id), 'transfer');
      const envelope = { commandId, actor: deps.actorOf(c), command };
      const state = await sendTransfer(deps, id, definition, envelope);
      return { status: 200, body: transferView(state) };
    });

  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async (id) => {
        const { vehicleId, ...wanted } = c.req.valid('json');
        await assertReach(c, deps, vehicleId, wanted.toBranchId);
        await assertDriver(deps, wanted.driverId);
        const command = { ...wanted, id, vehicle: { id: vehicleId } };
        const envelope = { commandId: id, actor: deps.actorOf(c), command };
        const planned = await namingReferences(sendPlan(deps, envelope));
        const headers = { location: `/api/v1/transfers/${id}` };
        return { status: 201, body: transferView(planned), headers };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const transfers = await listTransfers(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(transfers, ({ id }) => id, transferView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const { id } = c.req.valid('param');
      const state = found(await transferById(db, rowAccessOf(c), id), 'transfer');
      return c.json(transferView(state), 200);
    })
    .openapi(depart, async (c) => {
      const command = c.req.valid('json');
      await assertDriver(deps, command.driverId ?? null);
      return commanded(c, c.req.valid('param').id, messages.depart, command);
    })
    .openapi(arrive, (c) =>
      commanded(c, c.req.valid('param').id, messages.arrive, c.req.valid('json')),
    )
    .openapi(cancel, (c) =>
      commanded(c, c.req.valid('param').id, messages.cancelTransfer, c.req.valid('json')),
    );
}

/** Who plans works at one end at least: the vehicle's branch, or the one it goes to. */
async function assertReach(
  c: Context<ApiEnv>,
  { db }: ApiDeps,
  vehicleId: string,
  toBranchId: string,
): Promise<void> {
  if (isWithin(c.get('caller').branches, toBranchId)) return;
  if ((await vehicleById(db, rowAccessOf(c), vehicleId)) !== undefined) return;
  throw new ProblemError('unknown-reference', 'There is no such vehicle.', {
    more: { of: 'vehicle' },
  });
}

async function assertDriver({ db }: ApiDeps, driverId: string | null): Promise<void> {
  if (driverId === null || (await staffById(db, driverId))?.status === 'active') return;
  throw new ProblemError('unknown-reference', 'There is no such active staff member.', {
    more: { of: 'driver' },
  });
}
