// One's own identity: who the caller is, with which rights, and where else they are signed in.
import { createRoute, z } from '@hono/zod-openapi';
import { endSession, sessionsOf } from '../../db/commands/sessions.ts';
import { changeStaff } from '../../db/commands/staff.ts';
import { staffById } from '../../db/queries/people.ts';
import { principalOf } from '../../domain/actor.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import type { ApiDeps } from '../deps.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { Me, meView, OwnChange, Session, Staff, sessionView, staffView } from '../schemas/staff.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Me'];
const ANYBODY = { roles: EVERYONE, customers: 'own' } as const;

const whoAmI = createRoute({
  ...secured({ ...ANYBODY, scope: 'people:read', partners: true }),
  method: 'get',
  path: '/me',
  tags,
  summary: 'Who the caller is, and may do what',
  responses: { 200: jsonAnswer('The caller', Me), ...problems },
});

const update = createRoute({
  ...secured({ scope: 'people:write', roles: EVERYONE }, jsonBody),
  method: 'patch',
  path: '/me',
  tags,
  summary: 'Change one’s own name; rights are an administrator’s to change',
  request: { headers: IfMatchHeader, body: jsonRequest(OwnChange) },
  responses: { 200: jsonAnswer('As it is now', Staff), ...problems },
});

const sessions = createRoute({
  ...secured({ ...ANYBODY, scope: 'people:read' }),
  method: 'get',
  path: '/me/sessions',
  tags,
  summary: 'Where the caller is signed in',
  responses: {
    200: jsonAnswer('Newest first', z.object({ items: z.array(Session).readonly() })),
    ...problems,
  },
});

const end = createRoute({
  ...secured({ ...ANYBODY, scope: 'people:write' }),
  method: 'delete',
  path: '/me/sessions/{id}',
  tags,
  summary: 'Sign a device out',
  request: { params: z.object({ id: Id }) },
  responses: { 204: { description: 'Ended' }, ...problems },
});

export function meRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(whoAmI, async (c) => {
      const caller = c.get('caller');
      const { kind, id } = caller.actor;
      const row = kind === 'staff' ? await staffById(db, id) : undefined;
      const headers = row === undefined ? {} : etag(row.version);
      return c.json(meView(caller, row?.name ?? null), 200, headers);
    })
    .openapi(update, async (c) => {
      const actor = deps.actorOf(c);
      const change = c.req.valid('json');
      const row = await changeStaff(db, principalOf(actor), actor.id, knownVersion(c), change);
      return c.json(staffView(row), 200, etag(row.version));
    })
    .openapi(sessions, async (c) => {
      const { actor, sessionId } = c.get('caller');
      const open = await sessionsOf(db, principalOf(actor));
      return c.json({ items: open.map((session) => sessionView(session, sessionId)) }, 200);
    })
    .openapi(end, async (c) => {
      const { via } = c.get('caller');
      if (via === 'api-key') throw new ProblemError('forbidden', 'An API key ends no session.');
      const subject = principalOf(deps.actorOf(c));
      const { id } = c.req.valid('param');
      const given = { id, reason: 'revoked', subject } as const;
      found((await endSession(db, subject, given)) || undefined, 'session');
      return c.body(null, 204);
    });
}
