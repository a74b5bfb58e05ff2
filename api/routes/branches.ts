// Branches: where vehicles are handed over, each with its time zone and its legal entity.
import { createRoute, z } from '@hono/zod-openapi';
import { registerBranch, updateBranch } from '../../db/commands/branches.ts';
import { branchActivity } from '../../db/queries/events.ts';
import { branchById, listBranches } from '../../db/queries/vehicles.ts';
import { secured } from '../auth/access.ts';
import { COUNTER, EVERYONE } from '../auth/roles.ts';
import { assertBranch, knownBranches, knowsBranch, rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Branch, BranchChange, BranchList, branchView, NewBranch } from '../schemas/branches.ts';
import {
  BranchId,
  given,
  jsonAnswer,
  jsonRequest,
  page,
  pageOf,
  problems,
} from '../schemas/common.ts';
import { ActivityQuery, BranchActivity } from '../schemas/events.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Branches'];
const params = z.object({ id: BranchId });

/** Customers and partners choose from them too. */
const READ = { scope: 'fleet:read', roles: EVERYONE, customers: 'own', partners: true } as const;

const create = createRoute({
  ...secured({ scope: 'fleet:write', roles: ['administrator'] }, jsonBody),
  method: 'post',
  path: '/branches',
  tags,
  summary: 'Open a branch',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewBranch) },
  responses: { 201: jsonAnswer('Opened', Branch), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/branches',
  tags,
  summary: 'Branches by code',
  request: { query: BranchList },
  responses: { 200: jsonAnswer('A page', pageOf(Branch)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/branches/{id}',
  tags,
  summary: 'One branch',
  request: { params },
  responses: { 200: jsonAnswer('The branch', Branch), ...problems },
});

const update = createRoute({
  ...secured({ scope: 'fleet:write', roles: ['branch-manager', 'administrator'] }, jsonBody),
  method: 'patch',
  path: '/branches/{id}',
  tags,
  summary: 'Change a branch; 412 when it was changed meanwhile',
  description:
    'Another time zone moves no rental: `affected-rentals` lists those that it does not suit.',
  request: { params, headers: IfMatchHeader, body: jsonRequest(BranchChange) },
  responses: { 200: jsonAnswer('As it is now', Branch), ...problems },
});

const activity = createRoute({
  ...secured({
    scope: 'rentals:read',
    roles: [...COUNTER, 'fleet-planner', 'finance-controller', 'auditor', 'administrator'],
  }),
  method: 'get',
  path: '/branches/{id}/activity',
  tags,
  summary: 'What happened at a branch, by its local day; follows the facts within a second or so',
  request: { params, query: ActivityQuery },
  responses: { 200: jsonAnswer('Days with activity', BranchActivity), ...problems },
});

export function branchRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async () => {
        const row = await registerBranch(db, rowAccessOf(c), c.req.valid('json'));
        const headers = { ...etag(row.version), location: `/api/v1/branches/${row.id}` };
        return { status: 201, body: branchView(row), headers };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, limit } = c.req.valid('query');
      const branches = await listBranches(db, { after, limit, ...knownBranches(c) });
      return c.json(
        page(branches, (row) => row.id, branchView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const row = found(await branchById(db, c.req.valid('param').id), 'branch');
      found(knowsBranch(c, row) || undefined, 'branch');
      return c.json(branchView(row), 200, etag(row.version));
    })
    .openapi(update, async (c) => {
      const { id } = c.req.valid('param');
      assertBranch(c, id);
      const change = given(c.req.valid('json'));
      const row = await updateBranch(db, rowAccessOf(c), id, knownVersion(c), change);
      return c.json(branchView(row), 200, etag(row.version));
    })
    .openapi(activity, async (c) => {
      const { id } = c.req.valid('param');
      found(await branchById(db, id), 'branch');
      assertBranch(c, id);
      return c.json({ days: await branchActivity(db, id, c.req.valid('query')) }, 200);
    });
}
