// Meters: readings come in, a person decides about those that nobody would believe.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { RowAccess } from '../../db/client.ts';
import {
  decideReading,
  recordReading,
  replaceOdometer,
  voidReading,
} from '../../db/commands/meters.ts';
import { listReadings, listReviews, metersOf } from '../../db/queries/meters.ts';
import { vehicleById } from '../../db/queries/vehicles.ts';
import { CLOCK_TOLERANCE_MS, type Said, storedValue } from '../../domain/meter.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { batchOf, batchResults, eachItem, itemId } from '../batch.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  Meters,
  metersView,
  NewOdometer,
  NewReading,
  NewReadingOfVehicle,
  Reading,
  ReadingDecision,
  ReadingList,
  ReviewList,
  readingView,
  VoidReading,
} from '../schemas/meters.ts';

const tags = ['Meters'];
const params = z.object({ id: Id });

const READ = { scope: 'fleet:read', roles: EVERYONE } as const;
const DECIDE = {
  scope: 'fleet:write',
  roles: ['technician', 'fleet-planner', 'branch-manager'],
} as const;
/** Partners too: who makes devices sends what they read. */
const SEND = { ...DECIDE, partners: true } as const;

const send = createRoute({
  ...secured(SEND, jsonBody),
  method: 'post',
  path: '/vehicles/{id}/readings',
  tags,
  summary: 'Record a reading; an implausible one is stored and waits for a person',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewReading) },
  responses: { 201: jsonAnswer('Recorded, or as it was before', Reading), ...problems },
});

const sendMany = createRoute({
  ...secured(SEND, jsonBody),
  method: 'post',
  path: '/readings/batch',
  tags,
  summary: 'Record up to 100 readings; one that is refused keeps no other out',
  request: {
    headers: IdempotencyHeader,
    body: jsonRequest(batchOf(NewReadingOfVehicle, 'NewReadings')),
  },
  responses: {
    200: jsonAnswer('One result an item', batchResults(Reading, 'RecordedReadings')),
    ...problems,
  },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/vehicles/{id}/readings',
  tags,
  summary: 'A vehicle’s readings, by kind, source, state and time',
  request: { params, query: ReadingList },
  responses: { 200: jsonAnswer('A page', pageOf(Reading)), ...problems },
});

const meters = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/vehicles/{id}/meters',
  tags,
  summary: 'What a vehicle’s meters read now, and the trouble codes that are on',
  request: { params },
  responses: { 200: jsonAnswer('Its meters', Meters), ...problems },
});

const replace = createRoute({
  ...secured(DECIDE, jsonBody),
  method: 'post',
  path: '/vehicles/{id}/odometer-replacements',
  tags,
  summary: 'Another odometer goes on where the old one ended',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewOdometer) },
  responses: { 201: jsonAnswer('The first reading of the new one', Reading), ...problems },
});

const reviews = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/readings/reviews',
  tags,
  summary: 'Readings that wait for a person’s decision',
  request: { query: ReviewList },
  responses: { 200: jsonAnswer('A page', pageOf(Reading)), ...problems },
});

const decide = createRoute({
  ...secured(DECIDE, jsonBody),
  method: 'post',
  path: '/readings/reviews/{id}/decide',
  tags,
  summary: 'Accept what was read, void it, or begin a new segment with it',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(ReadingDecision) },
  responses: { 200: jsonAnswer('As it is now', Reading), ...problems },
});

const cancel = createRoute({
  ...secured(DECIDE, jsonBody),
  method: 'post',
  path: '/readings/{id}/void',
  tags,
  summary: 'Void a reading that was wrong; it stays in the list',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(VoidReading) },
  responses: { 200: jsonAnswer('As it is now', Reading), ...problems },
});

export function meterRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  const seen = async (c: Context<ApiEnv>, id: string) =>
    found(await vehicleById(db, meterAccessOf(c), id), 'vehicle');

  /** The bound id is the reading's. */
  const record = (c: Context<ApiEnv>, id: string, vehicleId: string, sent: Sent) => {
    assertSendable(c, deps, sent);
    const { kind, source, takenAt, externalId, deviceId = '' } = sent;
    const read = { kind, source, takenAt, externalId, deviceId, ...storedValue(sent) };
    return recordReading(db, meterAccessOf(c), { id, vehicleId, ...read, origin: 'http' });
  };

  return apiRouter()
    .openapi(send, (c) =>
      idempotent(c, deps, async (id) => {
        const vehicle = await seen(c, c.req.valid('param').id);
        const row = await record(c, id, vehicle.id, c.req.valid('json'));
        return { status: 201, body: readingView(row) };
      }),
    )
    .openapi(sendMany, (c) =>
      idempotent(c, deps, async (boundId) => {
        const body = await eachItem(c, c.req.valid('json').items, 201, async (item, index) => {
          const id = itemId(boundId, index);
          return readingView(await namingReferences(record(c, id, item.vehicleId, item)));
        });
        return { status: 200, body };
      }),
    )
    .openapi(list, async (c) => {
      const { id: vehicleId } = await seen(c, c.req.valid('param').id);
      const { cursor: after, ...filter } = c.req.valid('query');
      const rows = await listReadings(db, rowAccessOf(c), { vehicleId, after, ...filter });
      return c.json(
        page(rows, (row) => row.id, readingView),
        200,
      );
    })
    .openapi(meters, async (c) => {
      const { id } = await seen(c, c.req.valid('param').id);
      return c.json(metersView(await metersOf(db, rowAccessOf(c), id)), 200);
    })
    .openapi(replace, (c) =>
      idempotent(c, deps, async (id) => {
        const { id: vehicleId } = await seen(c, c.req.valid('param').id);
        const given = { ...c.req.valid('json'), id, vehicleId };
        assertPast(deps, given.replacedAt);
        const row = await replaceOdometer(db, rowAccessOf(c), given);
        return { status: 201, body: readingView(row) };
      }),
    )
    .openapi(reviews, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const rows = await listReviews(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(rows, (row) => row.id, readingView),
        200,
      );
    })
    .openapi(decide, (c) =>
      idempotent(c, deps, async () => {
        const { id } = c.req.valid('param');
        const row = await decideReading(db, rowAccessOf(c), id, c.req.valid('json'));
        return { status: 200, body: readingView(row) };
      }),
    )
    .openapi(cancel, (c) =>
      idempotent(c, deps, async () => {
        const { reason } = c.req.valid('json');
        const row = await voidReading(db, rowAccessOf(c), c.req.valid('param').id, reason);
        return { status: 200, body: readingView(row) };
      }),
    );
}

type Sent = Said & { readonly takenAt: string; readonly externalId?: string | undefined };

/** A partner has no rows of its own here: its branches say which vehicles it may write to. */
function meterAccessOf(c: Context<ApiEnv>): RowAccess {
  const access = rowAccessOf(c);
  const { actor, branches } = c.get('caller');
  if (actor.kind !== 'partner') return access;
  return { ...access, scope: branches === 'all' ? '*' : `branches:${branches.join(',')}` };
}

function assertSendable(c: Context<ApiEnv>, deps: ApiDeps, { source, takenAt }: Sent): void {
  if (source === 'dash' && c.get('caller').actor.kind === 'partner') {
    throw new ProblemError('forbidden', 'A partner sends what devices read, not the dash.');
  }
  assertPast(deps, takenAt);
}

function assertPast(deps: ApiDeps, at: string): void {
  if (Date.parse(at) <= Date.parse(deps.now()) + CLOCK_TOLERANCE_MS) return;
  throw new ProblemError('invalid-time', 'Nothing can have been read in the future.');
}
