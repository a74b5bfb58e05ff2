// Quotes: what a rental would cost now. Nothing is stored, so nothing needs a key.
import { createRoute } from '@hono/zod-openapi';
import { currentRatePlan } from '../../db/queries/rentals.ts';
import { branchById, classById } from '../../db/queries/vehicles.ts';
import { quote } from '../../domain/pricing.ts';
import { decideRequest } from '../../domain/rental-term.ts';
import type { ApiDeps } from '../deps.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { NewQuote, Quote } from '../schemas/quotes.ts';

const create = createRoute({
  method: 'post',
  path: '/quotes',
  tags: ['Quotes'],
  summary: 'What a rental would cost, each line explained; stores nothing',
  middleware: jsonBody,
  request: { body: jsonRequest(NewQuote) },
  responses: { 200: jsonAnswer('The quote', Quote), ...problems },
});

export function quoteRoutes({ db, now }: Pick<ApiDeps, 'db' | 'now'>): ApiRouter {
  return apiRouter().openapi(create, async (c) => {
    const request = decideRequest(c.req.valid('json'), now());
    const [plan, branch, vehicleClass] = await Promise.all([
      currentRatePlan(db),
      branchById(db, request.branchId),
      classById(db, request.classId),
    ]);
    if (branch === undefined) throw unknown('branch');
    if (vehicleClass === undefined) throw unknown('class');
    const { pickUpAt, dueAt } = request;
    const price = quote({ plan: found(plan, 'valid rate plan'), pickUpAt, returnAt: dueAt });
    return c.json({ ...request, price }, 200);
  });
}

function unknown(of: string): ProblemError {
  return new ProblemError('unknown-reference', `There is no such ${of}.`, { more: { of } });
}
