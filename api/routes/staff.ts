// Staff: who works here, with which rights. An administrator's; nobody changes their own rights.
import { createRoute, z } from '@hono/zod-openapi';
import { endSessions } from '../../db/commands/sessions.ts';
import { changeStaff, hireStaff, removeSecondFactor } from '../../db/commands/staff.ts';
import { listStaff, staffById } from '../../db/queries/people.ts';
import { principalOf } from '../../domain/actor.ts';
import { secured } from '../auth/access.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { given, Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import { NewStaff, Staff, StaffChange, StaffList, staffView } from '../schemas/staff.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Staff'];
const params = z.object({ id: Id });
const READ = { scope: 'people:read', roles: ['administrator', 'auditor'] } as const;
const WRITE = { scope: 'people:write', roles: ['administrator'] } as const;

const create = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/staff',
  tags,
  summary: 'Hire somebody',
  description: 'The person sets a password by the mailed link of "forgotten password".',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewStaff) },
  responses: { 201: jsonAnswer('Hired', Staff), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/staff',
  tags,
  summary: 'Staff in order of hiring',
  request: { query: StaffList },
  responses: { 200: jsonAnswer('A page', pageOf(Staff)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/staff/{id}',
  tags,
  summary: 'One person',
  request: { params },
  responses: { 200: jsonAnswer('The person', Staff), ...problems },
});

const update = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'patch',
  path: '/staff/{id}',
  tags,
  summary: 'Change roles, branches, status or details; 412 when it was changed meanwhile',
  description:
    'Takes effect within five seconds: tokens that are out end, and sessions too of who leaves.',
  request: { params, headers: IfMatchHeader, body: jsonRequest(StaffChange) },
  responses: { 200: jsonAnswer('As it is now', Staff), ...problems },
});

const signOut = createRoute({
  ...secured(WRITE),
  method: 'delete',
  path: '/staff/{id}/sessions',
  tags,
  summary: 'End all sessions of a person',
  request: { params },
  responses: { 204: { description: 'Ended' }, ...problems },
});

const forgetFactor = createRoute({
  ...secured(WRITE),
  method: 'delete',
  path: '/staff/{id}/second-factor',
  tags,
  summary: 'Remove the second factor of somebody who lost it; never one’s own',
  description: 'Ends all sessions of the person, who enrols again at the next sign-in.',
  request: { params },
  responses: { 204: { description: 'Removed' }, ...problems },
});

export function staffRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async (id) => {
        const principal = principalOf(deps.actorOf(c));
        const row = await hireStaff(db, principal, { ...c.req.valid('json'), id });
        const headers = { ...etag(row.version), location: `/api/v1/staff/${id}` };
        return { status: 201, body: staffView(row), headers };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const staff = await listStaff(db, { after, ...filter });
      return c.json(
        page(staff, (row) => row.id, staffView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const row = found(await staffById(db, c.req.valid('param').id), 'person');
      return c.json(staffView(row), 200, etag(row.version));
    })
    .openapi(update, async (c) => {
      const { id } = c.req.valid('param');
      const principal = principalOf(deps.actorOf(c));
      const change = given(c.req.valid('json'));
      const row = await changeStaff(db, principal, id, knownVersion(c), change);
      return c.json(staffView(row), 200, etag(row.version));
    })
    .openapi(signOut, async (c) => {
      const { id } = c.req.valid('param');
      found(await staffById(db, id), 'person');
      await endSessions(db, principalOf(deps.actorOf(c)), `staff:${id}`, 'revoked');
      return c.body(null, 204);
    })
    .openapi(forgetFactor, async (c) => {
      const { id } = c.req.valid('param');
      await removeSecondFactor(db, principalOf(deps.actorOf(c)), id);
      return c.body(null, 204);
    });
}
