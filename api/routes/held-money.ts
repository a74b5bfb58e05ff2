// Money of rentals that no document took, over HTTP: deposits that are held, and what goes back.
import { createRoute } from '@hono/zod-openapi';
import { heldAgeing, listHeldMoney } from '../../db/queries/held-money.ts';
import { secured } from '../auth/access.ts';
import { BOOKS } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, page, pageOf, problems } from '../schemas/common.ts';
import { HeldAgeing, HeldAgeingQuery, HeldMoney, HeldMoneyList } from '../schemas/held-money.ts';

const tags = ['Deposits'];
const HELD = { scope: 'accounting:read', roles: ['branch-manager', ...BOOKS, 'auditor'] } as const;

const list = createRoute({
  ...secured(HELD),
  method: 'get',
  path: '/deposits/held',
  tags,
  summary: 'Deposits held in money, and payments beyond documents, by rental; what is to go back',
  request: { query: HeldMoneyList },
  responses: { 200: jsonAnswer('A page', pageOf(HeldMoney)), ...problems },
});

const aged = createRoute({
  ...secured(HELD),
  method: 'get',
  path: '/deposits/held/ageing',
  tags,
  summary: 'The same by legal entity and age; the sum is the balance of its account',
  request: { query: HeldAgeingQuery },
  responses: { 200: jsonAnswer('By entity', HeldAgeing), ...problems },
});

export function heldMoneyRoutes({ db }: Pick<ApiDeps, 'db'>): ApiRouter {
  return apiRouter()
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const held = await listHeldMoney(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(
          held,
          ({ rentalId }) => rentalId,
          (one) => one,
        ),
        200,
      );
    })
    .openapi(aged, async (c) => {
      const items = await heldAgeing(db, rowAccessOf(c), c.req.valid('query'));
      return c.json({ items }, 200);
    });
}
