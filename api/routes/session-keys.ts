// Agreeing on the keys of an encrypted session, for routes that want their bodies sealed.
import { createRoute } from '@hono/zod-openapi';
import { keepSessionKey, sessionKeyAt } from '../../db/commands/session-keys.ts';
import { principalOf } from '../../domain/actor.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import { NewSessionKey, SessionKey } from '../schemas/session-keys.ts';
import { agree } from '../session-keys/keys.ts';

/** As long as an access token: whoever still works then makes both anew. */
const LIFETIME_MS = 15 * 60_000;

const create = createRoute({
  ...secured({ scope: 'customers:read', roles: EVERYONE, customers: 'own' }, jsonBody),
  method: 'post',
  path: '/session-keys',
  tags: ['Encrypted sessions'],
  summary: 'Agree on the keys of an encrypted session; they last 15 minutes, for you alone',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewSessionKey) },
  responses: { 201: jsonAnswer('Agreed', SessionKey), ...problems },
});

export function sessionKeyRoutes(deps: ApiDeps): ApiRouter {
  return apiRouter().openapi(create, (c) =>
    idempotent(c, deps, async (id) => {
      const point = Buffer.from(c.req.valid('json').publicKey, 'base64url');
      const { serverPoint, keys } = agree(point, id);
      const both = Buffer.concat([keys.request, keys.answer]);
      const expiresAt = new Date(Date.parse(deps.now()) + LIFETIME_MS).toISOString();
      await keepSessionKey(deps.db, {
        id,
        principal: principalOf(deps.actorOf(c)),
        secret: deps.envelope.seal(both, sessionKeyAt(id)),
        expiresAt,
      });
      const publicKey = serverPoint.toString('base64url');
      const algorithm = 'ECDH-P256+HKDF-SHA256+A256GCM' as const;
      return { status: 201, body: { id, publicKey, expiresAt, algorithm }, headers: {} };
    }),
  );
}
