// Quotes: what a rental would cost now. Nothing is stored, so nothing needs a key.
import { createRoute, type z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { inCurrency } from '../../db/commands/booking-rules.ts';
import { quoteRules } from '../../db/queries/opening-hours.ts';
import { currentRatePlan } from '../../db/queries/rentals.ts';
import { branchById, classById } from '../../db/queries/vehicles.ts';
import { clockOf, localDate } from '../../domain/calendar.ts';
import { driversOf, quote } from '../../domain/pricing.ts';
import { decideRequest } from '../../domain/rental-term.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { batchOf, batchResults, eachItem } from '../batch.ts';
import { assertRate } from '../booked-choices.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { assertKnownPlaces } from '../known-branch.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { NewQuote, Quote } from '../schemas/quotes.ts';

const ACCESS = {
  scope: 'rentals:read',
  roles: [...COUNTER, 'fleet-planner', ...BOOKS, 'auditor'],
  customers: 'own',
  partners: true,
} as const;

const create = createRoute({
  ...secured(ACCESS, jsonBody),
  method: 'post',
  path: '/quotes',
  tags: ['Quotes'],
  summary: 'What a rental would cost, each line explained; stores nothing',
  request: { body: jsonRequest(NewQuote) },
  responses: { 200: jsonAnswer('The quote', Quote), ...problems },
});

const createMany = createRoute({
  ...secured(ACCESS, jsonBody),
  method: 'post',
  path: '/quotes/batch',
  tags: ['Quotes'],
  summary: 'Up to 100 quotes at once, such as all classes of a branch',
  request: { body: jsonRequest(batchOf(NewQuote, 'NewQuotes')) },
  responses: { 200: jsonAnswer('One result an item', batchResults(Quote, 'Quotes')), ...problems },
});

export function quoteRoutes({ db, now }: Pick<ApiDeps, 'db' | 'now'>): ApiRouter {
  return apiRouter()
    .openapi(create, async (c) => {
      const wanted = c.req.valid('json');
      assertRate(c, wanted.rate);
      return c.json(await quoted(c, wanted), 200);
    })
    .openapi(createMany, async (c) => {
      const { items } = c.req.valid('json');
      const each = (item: z.infer<typeof NewQuote>) => {
        assertRate(c, item.rate);
        return quoted(c, item);
      };
      return c.json(await eachItem(c, items, 200, each), 200);
    });

  async function quoted(
    c: Context<ApiEnv>,
    wanted: z.infer<typeof NewQuote>,
  ): Promise<z.infer<typeof Quote>> {
    const request = decideRequest(wanted, now());
    await assertKnownPlaces(c, db, request);
    const [current, branch, vehicleClass, rules] = await Promise.all([
      currentRatePlan(db, request),
      branchById(db, request.branchId),
      classById(db, request.classId),
      quoteRules(db, request),
    ]);
    if (branch === undefined) throw unknown('branch');
    if (vehicleClass === undefined) throw unknown('class');
    const { pickUpAt, dueAt } = request;
    const plan = found(current, 'valid rate plan');
    const fees = inCurrency(rules.fees, plan.currency);
    const { branchId, classId, driverAges } = request;
    const price = quote({
      ...request,
      plan,
      returnAt: dueAt,
      fees,
      clock: clockOf(branch.time_zone, pickUpAt, dueAt),
      bookedOn: localDate(now(), branch.time_zone),
      drivers: driverAges && driversOf(driverAges, plan),
    });
    return { branchId, classId, pickUpAt, dueAt, price };
  }
}

function unknown(of: string): ProblemError {
  return new ProblemError('unknown-reference', `There is no such ${of}.`, { more: { of } });
}
