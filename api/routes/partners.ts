// Partners and the API clients of their systems: an administrator's to register and to end.
import { createRoute, z } from '@hono/zod-openapi';
import type { Db } from '../../db/client.ts';
import {
  changePartner,
  createApiClient,
  newClientSecret,
  registerPartner,
  revokeApiClient,
} from '../../db/commands/partners.ts';
import { clientsOf, listPartners, partnerById } from '../../db/queries/people.ts';
import { customerById } from '../../db/queries/rentals.ts';
import { principalOf } from '../../domain/actor.ts';
import { secured } from '../auth/access.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import {
  ApiClient,
  apiClientView,
  ClientId,
  MadeApiClient,
  NewApiClient,
  NewPartner,
  Partner,
  PartnerChange,
  partnerView,
} from '../schemas/api-keys.ts';
import {
  Id,
  jsonAnswer,
  jsonRequest,
  page,
  pageOf,
  pageQuery,
  problems,
} from '../schemas/common.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Partners'];
/** Administrators see no customers; this looks only whether there is such a company. */
const READER = 'system:api';
const params = z.object({ id: Id });
const READ = { scope: 'people:read', roles: ['administrator', 'auditor'] } as const;
const WRITE = { scope: 'people:write', roles: ['administrator'] } as const;

const create = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/partners',
  tags,
  summary: 'Register a partner',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewPartner) },
  responses: { 201: jsonAnswer('Registered', Partner), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/partners',
  tags,
  summary: 'Partners in order of registration',
  request: { query: z.strictObject(pageQuery(Id)) },
  responses: { 200: jsonAnswer('A page', pageOf(Partner)), ...problems },
});

const update = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'patch',
  path: '/partners/{id}',
  tags,
  summary: 'Suspend a partner or let them in again; what is agreed with it',
  request: { params, headers: IfMatchHeader, body: jsonRequest(PartnerChange) },
  responses: { 200: jsonAnswer('As it is now', Partner), ...problems },
});

const createClient = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/partners/{id}/clients',
  tags,
  summary: 'Let a system of the partner sign in by client credentials',
  description: 'The secret is in this answer only; a repeat is 409 `duplicate`.',
  request: { params, body: jsonRequest(NewApiClient) },
  responses: { 201: jsonAnswer('Made', MadeApiClient), ...problems },
});

const clients = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/partners/{id}/clients',
  tags,
  summary: 'The API clients of a partner',
  request: { params },
  responses: {
    200: jsonAnswer('By id', z.object({ items: z.array(ApiClient).readonly() })),
    ...problems,
  },
});

const revoke = createRoute({
  ...secured(WRITE),
  method: 'delete',
  path: '/partners/{id}/clients/{clientId}',
  tags,
  summary: 'Revoke an API client; its tokens are refused within five seconds',
  request: { params: params.extend({ clientId: ClientId }) },
  responses: { 204: { description: 'Revoked' }, ...problems },
});

export function partnerRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async (id) => {
        const principal = principalOf(deps.actorOf(c));
        const partner = c.req.valid('json');
        await assertPayer(db, partner.payerId, partner.sandbox ?? false);
        const row = await registerPartner(db, principal, { ...partner, id });
        return { status: 201, body: partnerView(row), headers: etag(row.version) };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, limit } = c.req.valid('query');
      const partners = await listPartners(db, { after, limit });
      return c.json(
        page(partners, (row) => row.id, partnerView),
        200,
      );
    })
    .openapi(update, async (c) => {
      const { id } = c.req.valid('param');
      const change = c.req.valid('json');
      const version = knownVersion(c);
      const partner = found(await partnerById(db, id), 'partner');
      await assertPayer(db, change.payerId, partner.is_sandbox);
      const principal = principalOf(deps.actorOf(c));
      const row = await changePartner(db, principal, id, version, change);
      return c.json(partnerView(row), 200, etag(row.version));
    })
    .openapi(createClient, async (c) => {
      const client = { ...c.req.valid('json'), partnerId: c.req.valid('param').id };
      const secret = newClientSecret();
      const row = await createApiClient(db, principalOf(deps.actorOf(c)), client, secret);
      return c.json({ ...apiClientView(row), secret }, 201, { 'cache-control': 'no-store' });
    })
    .openapi(clients, async (c) => {
      const { id } = c.req.valid('param');
      found(await partnerById(db, id), 'partner');
      return c.json({ items: (await clientsOf(db, id)).map(apiClientView) }, 200);
    })
    .openapi(revoke, async (c) => {
      const { id, clientId } = c.req.valid('param');
      await revokeApiClient(db, principalOf(deps.actorOf(c)), id, clientId);
      return c.body(null, 204);
    });
}

/** Vouchers are invoiced to a company of the partner's side: 422 `unknown-reference` for another. */
async function assertPayer(
  db: Db,
  payerId: string | null | undefined,
  isSandbox: boolean,
): Promise<void> {
  if (!payerId) return;
  const payer = await customerById(db, READER, payerId);
  const stands = payer?.merged_into === null && payer.contacts_erased_at === null;
  if (stands && payer.kind === 'company' && payer.is_sandbox === isSandbox) return;
  throw new ProblemError('unknown-reference', 'There is no such company.', {
    more: { of: 'payer' },
  });
}
