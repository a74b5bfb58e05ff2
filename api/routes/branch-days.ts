// Business days of branches over HTTP: closed with their figures, shown, and opened again.
import { createRoute, z } from '@hono/zod-openapi';
import { closeDay, reopenDay } from '../../db/commands/branch-days.ts';
import { branchDayById, listBranchDays } from '../../db/queries/branch-days.ts';
import { branchById } from '../../db/queries/vehicles.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { assertBranch, rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import {
  BranchDay,
  BranchDayList,
  BranchDayReopening,
  NewBranchDay,
} from '../schemas/branch-days.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Cash drawers'];
const params = z.object({ id: Id });
const CLOSE = { scope: 'rentals:write', roles: ['branch-manager', ...BOOKS] } as const;
const READ = { scope: 'accounting:read', roles: [...COUNTER, ...BOOKS, 'auditor'] } as const;

const close = createRoute({
  ...secured(CLOSE, jsonBody),
  method: 'post',
  path: '/branch-days',
  tags,
  summary: 'Close a branch’s day: in order, once all its shifts are verified and slips counted',
  description:
    'What is still under way is listed by 409 `day-not-finished`. From then on no shift is opened ' +
    'on that day (409 `day-closed`), and what else is paid or given back counts for the next one.',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewBranchDay) },
  responses: { 201: jsonAnswer('Closed', BranchDay), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/branch-days',
  tags,
  summary: 'Days that were closed, by branch and date',
  request: { query: BranchDayList },
  responses: { 200: jsonAnswer('A page', pageOf(BranchDay)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/branch-days/{id}',
  tags,
  summary: 'One day with its figures',
  request: { params },
  responses: { 200: jsonAnswer('The day', BranchDay), ...problems },
});

const reopen = createRoute({
  ...secured(CLOSE, jsonBody),
  method: 'post',
  path: '/branch-days/{id}/reopen',
  tags,
  summary: 'Open the branch’s last closed day again, by an approval of another person',
  request: {
    params,
    headers: IdempotencyHeader.extend(IfMatchHeader.shape),
    body: jsonRequest(BranchDayReopening),
  },
  responses: { 200: jsonAnswer('Open again', BranchDay), ...problems },
});

export function branchDayRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(close, (c) =>
      idempotent(c, deps, async (id) => {
        const { branchId, day } = c.req.valid('json');
        const branch = await branchById(db, branchId);
        if (branch === undefined) {
          throw new ProblemError('unknown-reference', 'There is no such branch.');
        }
        assertBranch(c, branchId);
        const { entity_id: entityId, time_zone: timeZone } = branch;
        const closing = { id, branchId, day, entityId, timeZone };
        const body = await closeDay(db, rowAccessOf(c), closing);
        const location = `/api/v1/branch-days/${body.id}`;
        return { status: 201, body, headers: { ...etag(body.version), location } };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const days = await listBranchDays(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(
          days,
          ({ id }) => id,
          (day) => day,
        ),
        200,
      );
    })
    .openapi(read, async (c) => {
      const { id } = c.req.valid('param');
      const day = found(await branchDayById(db, rowAccessOf(c), id), 'branch-day');
      return c.json(day, 200, etag(day.version));
    })
    .openapi(reopen, (c) => {
      const { id } = c.req.valid('param');
      const asked = { ...c.req.valid('json'), id, version: knownVersion(c) };
      return idempotent(c, deps, async (commandId) => {
        const body = await reopenDay(db, rowAccessOf(c), { ...asked, commandId });
        return { status: 200, body, headers: etag(body.version) };
      });
    });
}
