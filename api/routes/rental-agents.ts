// Whose rental it is over HTTP: the agent who is owed a commission on it.
import { createRoute, z } from '@hono/zod-openapi';
import { setRentalAgent } from '../../db/commands/rental-agents.ts';
import { agentOfRental } from '../../db/queries/agents.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { NamedAgent, RentalAgent } from '../schemas/agents.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Agents'];
const params = z.object({ id: Id });

const read = createRoute({
  ...secured({ scope: 'rentals:read', roles: [...COUNTER, ...BOOKS, 'auditor'] }),
  method: 'get',
  path: '/rentals/{id}/agent',
  tags,
  summary: 'Whose rental it is, where an agent was named; else 404',
  request: { params },
  responses: { 200: jsonAnswer('Its agent', RentalAgent), ...problems },
});

const name = createRoute({
  ...secured({ scope: 'rentals:write', roles: COUNTER }, jsonBody),
  method: 'put',
  path: '/rentals/{id}/agent',
  tags,
  summary: 'Name the agent before the keys are out; If-Match where one was named already',
  description: 'Its commission is the one that is promised on the day on which it is named.',
  request: { params, headers: IfMatchHeader, body: jsonRequest(NamedAgent) },
  responses: { 200: jsonAnswer('In force', RentalAgent), ...problems },
});

export function rentalAgentRoutes({ db }: Pick<ApiDeps, 'db'>): ApiRouter {
  return apiRouter()
    .openapi(read, async (c) => {
      const agent = found(
        await agentOfRental(db, rowAccessOf(c), c.req.valid('param').id),
        'rental’s agent',
      );
      return c.json(agent, 200, etag(agent.version));
    })
    .openapi(name, async (c) => {
      const { id: rentalId } = c.req.valid('param');
      const access = rowAccessOf(c);
      found(await rentalById(db, access, rentalId), 'rental');
      const known = await agentOfRental(db, access, rentalId);
      const version = known || c.req.header('if-match') ? knownVersion(c) : null;
      const { agentId } = c.req.valid('json');
      const named = setRentalAgent(db, access, { rentalId, agentId }, version);
      const agent = await namingReferences(named);
      return c.json(agent, 200, etag(agent.version));
    });
}
