// Documents that came after the return over HTTP: which were charged to a card, which are to be paid.
import { createRoute } from '@hono/zod-openapi';
import { listLateCharges } from '../../db/queries/late-charges.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, page, pageOf, problems } from '../schemas/common.ts';
import { LateCharge, LateChargeList, lateChargeView } from '../schemas/late-charges.ts';

const list = createRoute({
  ...secured({ scope: 'rentals:read', roles: [...COUNTER, ...BOOKS, 'auditor'] }),
  method: 'get',
  path: '/late-charges',
  tags: ['Tolls and fines'],
  summary: 'Tolls, fines and damages after the return: charged to the renter’s card, or why not',
  request: { query: LateChargeList },
  responses: { 200: jsonAnswer('A page', pageOf(LateCharge)), ...problems },
});

export function lateChargeRoutes({ db }: ApiDeps): ApiRouter {
  return apiRouter().openapi(list, async (c) => {
    const { cursor: after, ...filter } = c.req.valid('query');
    const found = await listLateCharges(db, rowAccessOf(c), { after, ...filter });
    return c.json(
      page(found, ({ id }) => id, lateChargeView),
      200,
    );
  });
}
