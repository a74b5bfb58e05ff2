// Stop-sell rules over HTTP: planners and managers set them, everybody on the staff sees them.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { endStopSell, setStopSell } from '../../db/commands/stop-sells.ts';
import { listStopSells } from '../../db/queries/stop-sells.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import { assertBranch, isLimited, rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import { NewStopSell, StopSell, StopSellList, stopSellView } from '../schemas/stop-sells.ts';

const tags = ['Availability'];
const WRITE = {
  scope: 'fleet:write',
  roles: ['fleet-planner', 'branch-manager', 'administrator'],
} as const;

const create = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/stop-sells',
  tags,
  summary: 'Sell a branch, a class or a channel no more on some dates; bookings stay',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewStopSell) },
  responses: { 201: jsonAnswer('In force', StopSell), ...problems },
});

const list = createRoute({
  ...secured({ scope: 'fleet:read', roles: EVERYONE }),
  method: 'get',
  path: '/stop-sells',
  tags,
  summary: 'Stop-sell rules, newest first',
  request: { query: StopSellList },
  responses: { 200: jsonAnswer('A page', pageOf(StopSell)), ...problems },
});

const end = createRoute({
  ...secured(WRITE),
  method: 'delete',
  path: '/stop-sells/{id}',
  tags,
  summary: 'End a rule; it stays on record',
  request: { params: z.object({ id: Id }) },
  responses: { 200: jsonAnswer('It is over', StopSell), ...problems },
});

export function stopSellRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async (id) => {
        const rule = { ...c.req.valid('json'), id };
        assertReach(c, rule.branchId);
        const row = await namingReferences(setStopSell(db, rowAccessOf(c), rule));
        return { status: 201, body: stopSellView(row) };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const rules = await listStopSells(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(rules, (row) => row.id, stopSellView),
        200,
      );
    })
    .openapi(end, async (c) => {
      const row = await endStopSell(db, rowAccessOf(c), c.req.valid('param').id);
      return c.json(stopSellView(row), 200);
    });
}

/** A rule for all branches is made by who has all of them. */
function assertReach(c: Context<ApiEnv>, branchId: string | null): void {
  if (branchId === null && isLimited(c)) {
    throw new ProblemError('forbidden', 'Only who works at every branch may stop all of them.');
  }
  assertBranch(c, branchId ?? undefined);
}
