// Customers' licences: sealed on the way by an encrypted session, and at rest by the envelope.
import { createRoute, z } from '@hono/zod-openapi';
import { licenceOf, setLicence } from '../../db/commands/licences.ts';
import { secured } from '../auth/access.ts';
import { COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { possibleDuplicates } from '../customer-duplicates.ts';
import type { ApiDeps } from '../deps.ts';
import { encrypted } from '../middleware/encrypted.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { KeptLicence, Licence } from '../schemas/licences.ts';
import { SealedHeaders } from '../schemas/session-keys.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Encrypted sessions'];
const params = z.object({ id: Id });
const description =
  'Only inside an encrypted session (see POST /session-keys): the body is `{"sealed": …}` of what ' +
  'is described here. Refusals come in the clear and hold nothing of it.';

/** The auditor reads everything and writes nothing. */
const READ = {
  scope: 'customers:read',
  roles: [...COUNTER, 'auditor'],
  customers: 'own',
} as const;

export function licenceRoutes(deps: ApiDeps): ApiRouter {
  const { db, envelope } = deps;
  const put = createRoute({
    ...secured({ scope: 'customers:write', roles: COUNTER }, encrypted(deps)),
    method: 'put',
    path: '/customers/{id}/licence',
    tags,
    summary: "Set a customer's licence; 412 when the customer was changed meanwhile",
    description,
    request: {
      params,
      headers: IfMatchHeader.extend(SealedHeaders.shape),
      body: jsonRequest(Licence),
    },
    responses: { 200: jsonAnswer('As it is now', KeptLicence), ...problems },
  });
  const read = createRoute({
    ...secured(READ, encrypted(deps)),
    method: 'get',
    path: '/customers/{id}/licence',
    tags,
    summary: "A customer's licence",
    description,
    request: { params, headers: SealedHeaders },
    responses: { 200: jsonAnswer('The licence', Licence), ...problems },
  });
  return apiRouter()
    .openapi(put, async (c) => {
      const { id } = c.req.valid('param');
      const version = knownVersion(c);
      const licence = c.req.valid('json');
      const kept = await setLicence(db, envelope, rowAccessOf(c), id, version, licence);
      const doubles = await possibleDuplicates(deps, rowAccessOf(c), id);
      return c.json({ ...licence, possibleDuplicates: doubles }, 200, etag(kept.version));
    })
    .openapi(read, async (c) => {
      const { id } = c.req.valid('param');
      const kept = found(await licenceOf(db, envelope, rowAccessOf(c), id), 'customer');
      return c.json(found(kept.licence ?? undefined, 'licence'), 200, etag(kept.version));
    });
}
