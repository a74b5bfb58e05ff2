// The fleet board: what takes the vehicles of a branch, for planners' screens.
import { createRoute, type z } from '@hono/zod-openapi';
import { fleetBoard } from '../../db/queries/fleet-board.ts';
import { isWithin } from '../../domain/people.ts';
import { asItIs } from '../as-it-is.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, problems } from '../schemas/common.ts';
import { BoardQuery, FleetBoard } from '../schemas/fleet.ts';

const read = createRoute({
  ...secured({ scope: 'fleet:read', roles: EVERYONE }),
  method: 'get',
  path: '/fleet/board',
  tags: ['Fleet'],
  summary: 'The vehicles of a branch with their spans in a window of up to 62 days',
  request: { query: BoardQuery },
  responses: {
    200: jsonAnswer('The board', FleetBoard),
    304: { description: 'As it was, by If-None-Match' },
    ...problems,
  },
});

export function fleetRoutes({ db }: Pick<ApiDeps, 'db'>): ApiRouter {
  return apiRouter().openapi(read, async (c) => {
    const query = c.req.valid('query');
    const { branches } = c.get('caller');
    const isHidden = !isWithin(branches, query.branchId);
    const board = isHidden ? null : await fleetBoard(db, rowAccessOf(c), query);
    return asItIs<z.infer<typeof FleetBoard>>(c, found(board ?? undefined, 'branch'));
  });
}
