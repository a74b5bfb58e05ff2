// What a person may ask of whoever keeps their data: all of it, or its erasure.
import { createRoute, z } from '@hono/zod-openapi';
import { licenceOf } from '../../db/commands/licences.ts';
import { personalData } from '../../db/queries/personal-data.ts';
import { secured } from '../auth/access.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { sendErasure } from '../commands.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { Erasure, NewErasure, PersonalData } from '../schemas/privacy.ts';

const tags = ['Privacy'];
const params = z.object({ id: Id });

const data = createRoute({
  method: 'get',
  path: '/customers/{id}/personal-data',
  tags,
  summary: 'Everything that is kept about a customer',
  description: 'For the person themselves, and for whoever answers their request (GDPR Art. 15).',
  ...secured({
    scope: 'customers:read',
    roles: ['branch-manager', 'auditor', 'administrator'],
    customers: 'own',
  }),
  request: { params },
  responses: { 200: jsonAnswer('All of it', PersonalData), ...problems },
});

const erase = createRoute({
  method: 'post',
  path: '/customers/{id}/erasure',
  tags,
  summary: 'Erase a customer: contacts at once, the name when no invoice keeps it',
  description: 'Needs an approval by a second person; 409 while a rental of theirs is open.',
  ...secured({ scope: 'customers:write', roles: ['branch-manager', 'administrator'] }, jsonBody),
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewErasure) },
  responses: { 200: jsonAnswer('How far it is', Erasure), ...problems },
});

export function privacyRoutes(deps: ApiDeps): ApiRouter {
  return apiRouter()
    .openapi(data, async (c) => {
      const { id } = c.req.valid('param');
      const all = found(await personalData(deps.db, rowAccessOf(c), id), 'customer');
      const kept = await licenceOf(deps.db, deps.envelope, rowAccessOf(c), id);
      return c.json(PersonalData.parse({ ...all, licence: kept?.licence ?? null }), 200);
    })
    .openapi(erase, (c) => {
      const { id: customerId } = c.req.valid('param');
      const command = { customerId, ...c.req.valid('json') };
      return idempotent(c, deps, async (commandId) => {
        const body = await sendErasure(deps, { commandId, actor: deps.actorOf(c), command });
        return { status: 200, body };
      });
    });
}
