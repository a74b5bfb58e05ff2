// Overbooking limits over HTTP. One of 0 is as none: a limit is changed, never deleted.
import { createRoute, z } from '@hono/zod-openapi';
import {
  changeOverbookingLimit,
  setOverbookingLimit,
} from '../../db/commands/overbooking-limits.ts';
import {
  listOverbookingLimits,
  overbookingLimitById,
} from '../../db/queries/overbooking-limits.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import { assertBranch, isLimited, rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  excessView,
  limitView,
  NewOverbookingLimit,
  OverbookingLimit,
  OverbookingLimitChange,
  OverbookingLimitList,
  OverbookingLimitWithExcess,
} from '../schemas/overbooking-limits.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Availability'];
const params = z.object({ id: Id });
const READ = { scope: 'fleet:read', roles: EVERYONE } as const;
const WRITE = {
  scope: 'fleet:write',
  roles: ['fleet-planner', 'branch-manager', 'administrator'],
} as const;

const create = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/overbooking-limits',
  tags,
  summary: 'Let bookings of a class wait for a vehicle, up to a limit, on some dates',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewOverbookingLimit) },
  responses: { 201: jsonAnswer('In force', OverbookingLimitWithExcess), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/overbooking-limits',
  tags,
  summary: 'Overbooking limits in order of creation',
  request: { query: OverbookingLimitList },
  responses: { 200: jsonAnswer('A page', pageOf(OverbookingLimit)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/overbooking-limits/{id}',
  tags,
  summary: 'One limit, and what exceeds it',
  request: { params },
  responses: { 200: jsonAnswer('The limit', OverbookingLimitWithExcess), ...problems },
});

const update = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'patch',
  path: '/overbooking-limits/{id}',
  tags,
  summary: 'Raise or lower a limit; a lowering cancels nothing, it lists the excess',
  request: { params, headers: IfMatchHeader, body: jsonRequest(OverbookingLimitChange) },
  responses: { 200: jsonAnswer('As it is now', OverbookingLimitWithExcess), ...problems },
});

export function overbookingLimitRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async (id) => {
        const limit = { ...c.req.valid('json'), id };
        assertBranch(c, limit.branchId);
        const made = await namingReferences(setOverbookingLimit(db, rowAccessOf(c), limit));
        const location = `/api/v1/overbooking-limits/${id}`;
        const headers = { ...etag(made.row.version), location };
        return { status: 201, body: excessView(made), headers };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const limits = await listOverbookingLimits(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(limits, (row) => row.id, limitView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const { id } = c.req.valid('param');
      const one = found(await overbookingLimitById(db, rowAccessOf(c), id), 'limit');
      return c.json(excessView(one), 200, etag(one.row.version));
    })
    .openapi(update, async (c) => {
      const { id } = c.req.valid('param');
      const access = rowAccessOf(c);
      const version = knownVersion(c);
      if (isLimited(c)) found(await overbookingLimitById(db, access, id), 'limit');
      const change = c.req.valid('json');
      const changed = await changeOverbookingLimit(db, access, id, version, change);
      return c.json(excessView(changed), 200, etag(changed.row.version));
    });
}
