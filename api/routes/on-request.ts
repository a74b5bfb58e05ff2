// Classes on request over HTTP: where a full pool's bookings wait for a person's answer.
import { createRoute, z } from '@hono/zod-openapi';
import { setOnRequest, withdrawOnRequest } from '../../db/commands/on-request.ts';
import { listOnRequest, onRequestOf } from '../../db/queries/on-request.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import { assertBranch, rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { jsonBody } from '../middleware/body.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { BranchId, ClassId, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { NewOnRequest, OnRequest, onRequestView } from '../schemas/on-request.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Availability'];
const params = z.object({ id: BranchId, classId: ClassId });
const WRITE = {
  scope: 'fleet:write',
  roles: ['fleet-planner', 'branch-manager', 'administrator'],
} as const;

const list = createRoute({
  ...secured({ scope: 'fleet:read', roles: EVERYONE }),
  method: 'get',
  path: '/branches/{id}/on-request',
  tags,
  summary: 'Classes of a branch that are on request when none is free',
  request: { params: z.object({ id: BranchId }) },
  responses: {
    200: jsonAnswer('All of them', z.object({ items: z.array(OnRequest).readonly() })),
    ...problems,
  },
});

const set = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'put',
  path: '/branches/{id}/on-request/{classId}',
  tags,
  summary: 'Take requests for a class that is full; If-Match where it is on request already',
  request: { params, headers: IfMatchHeader, body: jsonRequest(NewOnRequest) },
  responses: { 200: jsonAnswer('In force', OnRequest), ...problems },
});

const withdraw = createRoute({
  ...secured(WRITE),
  method: 'delete',
  path: '/branches/{id}/on-request/{classId}',
  tags,
  summary: 'Take no more requests; those that wait still get their answer',
  request: { params, headers: IfMatchHeader },
  responses: { 200: jsonAnswer('It is over', OnRequest), ...problems },
});

export function onRequestRoutes({ db }: ApiDeps): ApiRouter {
  return apiRouter()
    .openapi(list, async (c) => {
      const rows = await listOnRequest(db, rowAccessOf(c), c.req.valid('param').id);
      return c.json({ items: rows.map(onRequestView) }, 200);
    })
    .openapi(set, async (c) => {
      const { id: branchId, classId } = c.req.valid('param');
      assertBranch(c, branchId);
      const access = rowAccessOf(c);
      const key = { branchId, classId };
      const isThere = (await onRequestOf(db, access, key)) !== undefined;
      const version = isThere || c.req.header('if-match') ? knownVersion(c) : null;
      const { answerMinutes } = c.req.valid('json');
      const row = await namingReferences(setOnRequest(db, access, key, version, answerMinutes));
      return c.json(onRequestView(row), 200, etag(row.version));
    })
    .openapi(withdraw, async (c) => {
      const { id: branchId, classId } = c.req.valid('param');
      assertBranch(c, branchId);
      const key = { branchId, classId };
      const row = await withdrawOnRequest(db, rowAccessOf(c), key, knownVersion(c));
      return c.json(onRequestView(row), 200, etag(row.version));
    });
}
