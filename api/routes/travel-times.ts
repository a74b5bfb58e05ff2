// Travel times over HTTP: planners keep them, all staff see them.
import { createRoute, z } from '@hono/zod-openapi';
import { setTravelTime } from '../../db/commands/travel-times.ts';
import { listTravelTimes } from '../../db/queries/travel-times.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { jsonBody } from '../middleware/body.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import {
  NewTravelTime,
  TravelTime,
  TravelTimeList,
  travelTimeView,
} from '../schemas/travel-times.ts';

const tags = ['Fleet'];

const list = createRoute({
  ...secured({ scope: 'fleet:read', roles: EVERYONE }),
  method: 'get',
  path: '/travel-times',
  tags,
  summary: 'How long drives between branches take; a pair without a row takes the default',
  request: { query: TravelTimeList },
  responses: {
    200: jsonAnswer('All of them', z.object({ items: z.array(TravelTime).readonly() })),
    ...problems,
  },
});

const set = createRoute({
  ...secured({ scope: 'fleet:write', roles: ['fleet-planner', 'administrator'] }, jsonBody),
  method: 'put',
  path: '/travel-times',
  tags,
  summary: 'Set how long a drive takes; planned ones keep their times',
  request: { body: jsonRequest(NewTravelTime) },
  responses: { 200: jsonAnswer('As it is now', TravelTime), ...problems },
});

export function travelTimeRoutes({ db }: ApiDeps): ApiRouter {
  return apiRouter()
    .openapi(list, async (c) => {
      const rows = await listTravelTimes(db, c.req.valid('query').branchId);
      return c.json({ items: rows.map(travelTimeView) }, 200);
    })
    .openapi(set, async (c) => {
      const time = c.req.valid('json');
      const row = await namingReferences(setTravelTime(db, rowAccessOf(c), time));
      return c.json(travelTimeView(row), 200);
    });
}
