// API keys: each ends where its owner's rights end. Its text is shown when it is made, and never again.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { createApiKey, newApiKeyToken, revokeApiKey } from '../../db/commands/api-keys.ts';
import { apiKeyById, listApiKeys, partnerById, usageOf } from '../../db/queries/people.ts';
import { principalOf } from '../../domain/actor.ts';
import { ROLES, type Scope } from '../../domain/people.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { IdempotencyHeader, idOfKey } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import {
  ApiKey,
  ApiKeyList,
  apiKeyView,
  MadeApiKey,
  NewApiKey,
  Usage,
  UsageQuery,
} from '../schemas/api-keys.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';

const tags = ['API keys'];
const params = z.object({ id: Id });
/** All but the auditor, who writes nothing. */
const WRITERS = ROLES.filter((role) => role !== 'auditor');
const READ = { scope: 'people:read', roles: EVERYONE } as const;
const WRITE = { scope: 'people:write', roles: WRITERS } as const;
const MAX_LIFE_MS = 366 * 24 * 3_600_000;

const create = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/api-keys',
  tags,
  summary: 'Make a key',
  description:
    'Its text is in this answer only. A repeat with the same Idempotency-Key is 409 `duplicate`: ' +
    'when the answer was lost, revoke the key and make another.',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewApiKey) },
  responses: { 201: jsonAnswer('Made', MadeApiKey), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/api-keys',
  tags,
  summary: 'One’s own keys; for administrators and auditors everybody’s',
  request: { query: ApiKeyList },
  responses: { 200: jsonAnswer('A page', pageOf(ApiKey)), ...problems },
});

const usage = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/api-keys/{id}/usage',
  tags,
  summary: 'What a key was used for, by day and route',
  request: { params, query: UsageQuery },
  responses: { 200: jsonAnswer('Newest day first', Usage), ...problems },
});

const revoke = createRoute({
  ...secured(WRITE),
  method: 'delete',
  path: '/api-keys/{id}',
  tags,
  summary: 'Revoke a key; it is refused within five seconds',
  request: { params },
  responses: { 204: { description: 'Revoked' }, ...problems },
});

export function apiKeyRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, async (c) => {
      const principal = principalOf(deps.actorOf(c));
      const { name, scopes, expiresAt, partnerId } = c.req.valid('json');
      refuseKeyOfKey(c);
      checkScopes(c, scopes);
      checkExpiry(expiresAt, deps.now());
      const owner = partnerId === undefined ? principal : await partnerOwner(c, deps, partnerId);
      const key = newApiKeyToken();
      const id = idOfKey(c, deps);
      const row = await createApiKey(db, principal, { id, owner, name, scopes, expiresAt }, key);
      return c.json({ ...apiKeyView(row), key }, 201, { 'cache-control': 'no-store' });
    })
    .openapi(list, async (c) => {
      const { cursor: after, limit, owner } = c.req.valid('query');
      const whose = seesAll(c) ? owner : principalOf(deps.actorOf(c));
      const keys = await listApiKeys(db, { after, limit, owner: whose });
      return c.json(
        page(keys, (row) => row.id, apiKeyView),
        200,
      );
    })
    .openapi(usage, async (c) => {
      const { id } = c.req.valid('param');
      const key = found(await apiKeyById(db, id), 'key');
      const own = key.owner === principalOf(deps.actorOf(c));
      found(own || seesAll(c) || undefined, 'key');
      return c.json({ days: await usageOf(db, id, c.req.valid('query').days) }, 200);
    })
    .openapi(revoke, async (c) => {
      refuseKeyOfKey(c);
      const principal = principalOf(deps.actorOf(c));
      const owner = isAdministrator(c) ? undefined : principal;
      await revokeApiKey(db, principal, { id: c.req.valid('param').id, owner });
      return c.body(null, 204);
    });
}

/** A leaked key would otherwise outlive its own revocation by the keys that it made. */
function refuseKeyOfKey(c: Context<ApiEnv>): void {
  if (c.get('caller').via !== 'api-key') return;
  throw new ProblemError('forbidden', 'Keys are made and revoked by people who are signed in.');
}

function checkScopes(c: Context<ApiEnv>, scopes: readonly Scope[]): void {
  const missing = scopes.filter((scope) => !c.get('caller').scopes.has(scope));
  if (missing.length === 0) return;
  throw new ProblemError('insufficient-scope', 'A key cannot do more than who makes it.', {
    more: { scope: missing.join(' ') },
  });
}

function checkExpiry(expiresAt: string, now: string): void {
  const life = Date.parse(expiresAt) - Date.parse(now);
  if (life > 0 && life <= MAX_LIFE_MS) return;
  throw new ProblemError('validation-failed', 'The body has 1 fault(s).', {
    more: { errors: [{ path: 'expiresAt', message: 'must lie within a year from now' }] },
  });
}

async function partnerOwner(c: Context<ApiEnv>, deps: ApiDeps, id: string): Promise<string> {
  if (!isAdministrator(c)) {
    throw new ProblemError('forbidden', 'Keys of partners are made by administrators.');
  }
  if ((await partnerById(deps.db, id)) === undefined) {
    throw new ProblemError('unknown-reference', 'There is no such partner.', {
      more: { of: 'partner' },
    });
  }
  return `partner:${id}`;
}

function isAdministrator(c: Context<ApiEnv>): boolean {
  return c.get('caller').roles.includes('administrator');
}

function seesAll(c: Context<ApiEnv>): boolean {
  return isAdministrator(c) || c.get('caller').roles.includes('auditor');
}
