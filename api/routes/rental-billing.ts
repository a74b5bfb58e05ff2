// What a long rental was billed while it is open.
import { createRoute, z } from '@hono/zod-openapi';
import { billedCycles } from '../../db/queries/billing-cycles.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, problems } from '../schemas/common.ts';
import { BilledCycles } from '../schemas/rental-billing.ts';

const list = createRoute({
  ...secured({
    scope: 'accounting:read',
    roles: [...COUNTER, ...BOOKS, 'auditor'],
    customers: 'own',
  }),
  method: 'get',
  path: '/rentals/{id}/billing',
  tags: ['Rentals'],
  summary: 'The cycles that a long rental was billed by so far, and what is open of each',
  request: { params: z.object({ id: Id }) },
  responses: { 200: jsonAnswer('Its cycles', BilledCycles), ...problems },
});

export function rentalBillingRoutes({ db }: Pick<ApiDeps, 'db'>): ApiRouter {
  return apiRouter().openapi(list, async (c) => {
    const { id } = c.req.valid('param');
    const { billingCycle, cycleEndsAt, arrears } = found(
      await rentalById(db, rowAccessOf(c), id),
      'rental',
    );
    const items = await billedCycles(db, rowAccessOf(c), id);
    const now = { billingCycle, cycleEndsAt, arrears };
    return c.json(BilledCycles.parse({ ...now, items }), 200);
  });
}
