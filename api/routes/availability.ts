// Availability: how many vehicles of each class a branch could hand out for a time.
import { createRoute } from '@hono/zod-openapi';
import { availability } from '../../db/queries/vehicles.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import { channelOf } from '../channel.ts';
import type { ApiDeps } from '../deps.ts';
import { assertKnown } from '../known-branch.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, problems } from '../schemas/common.ts';
import { Availability, AvailabilityQuery } from '../schemas/vehicles.ts';

const read = createRoute({
  ...secured({ scope: 'fleet:read', roles: EVERYONE, customers: 'own', partners: true }),
  method: 'get',
  path: '/availability',
  tags: ['Availability'],
  summary: 'Free vehicles by class at a branch, turnaround included',
  request: { query: AvailabilityQuery },
  responses: { 200: jsonAnswer('Counts by class', Availability), ...problems },
});

export function availabilityRoutes({ db }: Pick<ApiDeps, 'db'>): ApiRouter {
  return apiRouter().openapi(read, async (c) => {
    const query = c.req.valid('query');
    await assertKnown(c, db, query.branchId);
    const classes = found(
      (await availability(db, { ...query, channel: channelOf(c) })) ?? undefined,
      'branch',
    );
    const { branchId, returnBranchId, from, to } = query;
    const place = returnBranchId === undefined ? { branchId } : { branchId, returnBranchId };
    return c.json({ ...place, from, to, classes }, 200);
  });
}
