// Opening hours over HTTP: the week, exceptions by date, and the rentals that they do not suit.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import {
  setException,
  setOpeningHours,
  withdrawException,
} from '../../db/commands/opening-hours.ts';
import {
  affectedRentals,
  dateAt,
  declaredHours,
  openingDays,
} from '../../db/queries/opening-hours.ts';
import { dateAfter } from '../../domain/opening-hours.ts';
import { secured } from '../auth/access.ts';
import { COUNTER, EVERYONE } from '../auth/roles.ts';
import { assertBranch, rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { assertKnown } from '../known-branch.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { BranchId, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import {
  AffectedRentals,
  LocalDate,
  NewException,
  NewOpeningHours,
  OpeningHours,
  OpeningHoursQuery,
} from '../schemas/opening-hours.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Branches'];
const params = z.object({ id: BranchId });
const dateParams = z.object({ id: BranchId, date: LocalDate });
const WRITE = { scope: 'fleet:write', roles: ['branch-manager', 'administrator'] } as const;
const MOST_DAYS = 62;

const read = createRoute({
  ...secured({ scope: 'fleet:read', roles: EVERYONE, customers: 'own', partners: true }),
  method: 'get',
  path: '/branches/{id}/opening-hours',
  tags,
  summary: 'When a branch is open, resolved by local date; at most 62 days',
  request: { params, query: OpeningHoursQuery },
  responses: { 200: jsonAnswer('Its hours', OpeningHours), ...problems },
});

const replace = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'put',
  path: '/branches/{id}/opening-hours',
  tags,
  summary: "Replace a branch's week, by the version of the branch; moves no rental",
  request: { params, headers: IfMatchHeader, body: jsonRequest(NewOpeningHours) },
  responses: { 200: jsonAnswer('As they are now', OpeningHours), ...problems },
});

const replaceException = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'put',
  path: '/branches/{id}/opening-hours/exceptions/{date}',
  tags,
  summary: 'Other hours on one local date, or none',
  request: { params: dateParams, headers: IfMatchHeader, body: jsonRequest(NewException) },
  responses: { 200: jsonAnswer('The week from that date on', OpeningHours), ...problems },
});

const withdraw = createRoute({
  ...secured(WRITE),
  method: 'delete',
  path: '/branches/{id}/opening-hours/exceptions/{date}',
  tags,
  summary: 'Take an exception back',
  request: { params: dateParams, headers: IfMatchHeader },
  responses: { 200: jsonAnswer('The week from that date on', OpeningHours), ...problems },
});

const affected = createRoute({
  ...secured({ scope: 'rentals:read', roles: [...COUNTER, 'fleet-planner'] }),
  method: 'get',
  path: '/branches/{id}/affected-rentals',
  tags,
  summary: 'Coming handovers that the hours do not suit as they are now; nothing moves them',
  request: { params },
  responses: { 200: jsonAnswer('They, by number', AffectedRentals), ...problems },
});

export function openingHoursRoutes(deps: ApiDeps): ApiRouter {
  const { db, now } = deps;
  return apiRouter()
    .openapi(read, async (c) => {
      await assertKnown(c, db, c.req.valid('param').id);
      const { body, headers } = await shown(c.req.valid('param').id, c.req.valid('query'));
      return c.json(body, 200, headers);
    })
    .openapi(replace, async (c) => {
      const { id } = managed(c, c.req.valid('param'));
      await setOpeningHours(db, rowAccessOf(c), id, knownVersion(c), c.req.valid('json'));
      const { body, headers } = await shown(id, {});
      return c.json(body, 200, headers);
    })
    .openapi(replaceException, async (c) => {
      const { id, date } = managed(c, c.req.valid('param'));
      const exception = { date, ...c.req.valid('json') };
      await setException(db, rowAccessOf(c), id, knownVersion(c), exception);
      const { body, headers } = await shown(id, { from: date });
      return c.json(body, 200, headers);
    })
    .openapi(withdraw, async (c) => {
      const { id, date } = managed(c, c.req.valid('param'));
      await withdrawException(db, rowAccessOf(c), id, knownVersion(c), date);
      const { body, headers } = await shown(id, { from: date });
      return c.json(body, 200, headers);
    })
    .openapi(affected, async (c) => {
      const { id } = managed(c, c.req.valid('param'));
      const items = found(await affectedRentals(db, rowAccessOf(c), id, now()), 'branch');
      return c.json({ items }, 200);
    });

  async function shown(id: string, asked: z.infer<typeof OpeningHoursQuery>) {
    const zone = found(
      await declaredHours(db, id, { from: '2000-01-01', to: '2000-01-01' }),
      'branch',
    );
    const from = asked.from ?? dateAt(zone, now());
    const dates = { from, to: asked.to ?? dateAfter(from, 6) };
    if (dates.to < dates.from || dates.to > dateAfter(dates.from, MOST_DAYS - 1)) {
      throw new ProblemError('validation-failed', `Ask for 1 to ${MOST_DAYS} days.`);
    }
    const hours = found(await declaredHours(db, id, dates), 'branch');
    const { exceptions: _listedByDate, ...shownHours } = hours;
    const body = { ...shownHours, days: openingDays(hours, dates) };
    return { body, headers: etag(hours.version) };
  }
}

/** The parameters of a branch that the caller may act for. */
function managed<P extends { readonly id: string }>(c: Context<ApiEnv>, given: P): P {
  assertBranch(c, given.id);
  return given;
}
