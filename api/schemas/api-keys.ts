// API keys, partners and their clients as they are sent and shown; secrets only when they are made.
import { z } from '@hono/zod-openapi';
import type { ApiClientRow, ApiKeyRow, PartnerRow } from '../../db/queries/people.ts';
import { SCOPES } from '../../domain/people.ts';
import { Id, Instant, pageQuery, text, UtcInstant } from './common.ts';
import { allDifferent, Branches, Scope } from './staff.ts';
import { changesSomething } from './vehicles.ts';

const Scopes = z
  .array(Scope)
  .min(1)
  .max(SCOPES.length)
  .refine(allDifferent, { message: 'must not repeat one' });

export const NewApiKey = z
  .strictObject({
    name: text(100),
    scopes: Scopes,
    expiresAt: Instant.openapi({ description: 'A year from now at most' }),
    partnerId: Id.optional().openapi({ description: 'By administrators: the partner it is for' }),
  })
  .openapi('NewApiKey');

export const ApiKey = z
  .object({
    id: Id,
    owner: z.string().openapi({ example: 'staff:01980a5d-ac96-774b-bcce-b302099a8057' }),
    name: z.string(),
    prefix: z.string(),
    scopes: z.array(Scope).readonly(),
    expiresAt: UtcInstant,
    revokedAt: UtcInstant.nullable(),
    lastUsedAt: UtcInstant.nullable(),
    createdAt: UtcInstant,
  })
  .openapi('ApiKey');

export const MadeApiKey = ApiKey.extend({
  key: z.string().openapi({ description: 'Shown this once: what is kept is its hash' }),
}).openapi('MadeApiKey');

export const ApiKeyList = z.strictObject({
  ...pageQuery(Id),
  owner: z
    .string()
    .regex(/^(staff|partner):[0-9a-f-]{36}$/)
    .optional()
    .openapi({ description: 'For those who see all keys; others see their own' }),
});

export const UsageQuery = z.strictObject({
  days: z
    .string()
    .regex(/^[0-9]{1,3}$/)
    .transform(Number)
    .pipe(z.int().min(1).max(366))
    .default(30)
    .openapi({ type: 'integer', minimum: 1, maximum: 366, default: 30 }),
});

export const Usage = z
  .object({
    days: z.array(z.object({ day: z.string(), route: z.string(), requests: z.int() })).readonly(),
  })
  .openapi('ApiKeyUsage');

const partnerTerms = {
  rates: z
    .array(text(40))
    .max(50)
    .refine(allDifferent, { message: 'must not repeat one' })
    .openapi({ description: 'Codes of the negotiated rates that it may book by' }),
  payerId: Id.nullable().openapi({
    description: 'The company that is invoiced for its vouchers, and for no other partner’s',
  }),
};

export const NewPartner = z
  .strictObject({
    name: text(200),
    branches: Branches,
    sandbox: z.boolean().optional().openapi({
      description: 'Its keys and clients reach the sandbox alone; those of others never do',
    }),
    rates: partnerTerms.rates.optional(),
    payerId: partnerTerms.payerId.optional(),
  })
  .openapi('NewPartner');
export const PartnerChange = z
  .strictObject({ status: z.enum(['active', 'suspended']), ...partnerTerms })
  .partial()
  .refine(changesSomething, { message: 'must change something' })
  .openapi('PartnerChange');

export const Partner = z
  .object({
    id: Id,
    name: z.string(),
    status: z.string(),
    branches: z.array(z.string()).readonly().nullable(),
    sandbox: z.boolean(),
    rates: z.array(z.string()).readonly(),
    payerId: Id.nullable(),
    version: z.int(),
  })
  .openapi('Partner');

export const ClientId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{2,62}$/)
  .openapi({ example: 'acme-travel' });

export const NewApiClient = z
  .strictObject({ id: ClientId, name: text(100), scopes: Scopes })
  .openapi('NewApiClient');

export const ApiClient = z
  .object({
    id: z.string(),
    partnerId: Id,
    name: z.string(),
    scopes: z.array(Scope).readonly(),
    status: z.string(),
    version: z.int(),
  })
  .openapi('ApiClient');

export const MadeApiClient = ApiClient.extend({
  secret: z.string().openapi({ description: 'Shown this once: what is kept is its hash' }),
}).openapi('MadeApiClient');

export function apiKeyView(row: ApiKeyRow) {
  return {
    id: row.id,
    owner: row.owner,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes as z.infer<typeof Scope>[],
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
    createdAt: row.created_at,
  };
}

export function partnerView(row: PartnerRow) {
  const { id, name, status, branches, is_sandbox: sandbox, rates, payer_id, version } = row;
  return { id, name, status, branches, sandbox, rates, payerId: payer_id, version };
}

export function apiClientView(row: ApiClientRow) {
  return {
    id: row.id,
    partnerId: row.partner_id,
    name: row.name,
    scopes: row.scopes as z.infer<typeof Scope>[],
    status: row.status,
    version: row.version,
  };
}
