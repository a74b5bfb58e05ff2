// Who may use a route: declared beside it, published in OpenAPI as x-access, and held by a guard.
import type { MiddlewareHandler } from 'hono';
import type { Role, Scope } from '../../domain/people.ts';
import type { ApiEnv } from '../deps.ts';
import { ProblemError } from '../problems.ts';
import type { Caller } from './caller.ts';

/** Whoever is not named may not. Keys have the rights of their owner, as far as their scopes go. */
export type Access = {
  /** What a token or key must be good for. */
  readonly scope: Scope;
  /** Staff with any of these roles. */
  readonly roles: readonly Role[];
  /** Customers too, who then see and change nothing but their own. */
  readonly customers?: 'own';
  /** Partners too: their API clients and their keys. */
  readonly partners?: boolean;
};

const SCOPE_MEANINGS: Readonly<Record<Scope, string>> = {
  'fleet:read': 'Branches, classes, vehicles, availability',
  'fleet:write': 'Change branches, classes and vehicles',
  'rentals:read': 'Quotes and rentals',
  'rentals:write': 'Reserve, hand out, extend, take back, cancel',
  'customers:read': 'Customers',
  'customers:write': 'Register and change customers',
  'accounting:read': 'Invoices, entries, balances',
  'accounting:write': 'Post and close',
  'people:read': 'Oneself, staff, keys, the audit log',
  'people:write': 'Change staff, keys and partners',
};

const ENDPOINTS = {
  tokenUrl: '/oauth/token',
  refreshUrl: '/oauth/token',
  scopes: SCOPE_MEANINGS,
} as const;

/** Of the OpenAPI document. Both kinds come as `Authorization: Bearer`. */
export const SECURITY_SCHEMES = {
  oauth2: {
    type: 'oauth2',
    description: 'Access tokens; with PKCE (S256) for people, client credentials for partners.',
    flows: {
      authorizationCode: { authorizationUrl: '/oauth/authorize', ...ENDPOINTS },
      clientCredentials: ENDPOINTS,
    },
  },
  apiKey: {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key, `fck_…`: good for its scopes, as far as its owner may.',
  },
} as const;

/**
 * Spread it into `createRoute`. `middleware` runs after the guard, so nobody learns by a body's
 * faults that he may not use the route. Throws 403 `forbidden` and `insufficient-scope`.
 */
export function secured(access: Access, ...middleware: readonly MiddlewareHandler<ApiEnv>[]) {
  return {
    security: [{ oauth2: [access.scope] }, { apiKey: [] }],
    'x-access': access,
    middleware: [guard(access), ...middleware],
  };
}

function guard(access: Access): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const refusal = refusalOf(c.get('caller'), access);
    if (refusal !== null) throw refusal;
    await next();
  };
}

/** Why the caller may not use what is declared so: `forbidden`, `insufficient-scope` or nothing. */
export function refusalOf(caller: Caller, access: Access): ProblemError | null {
  if (!isAdmitted(caller, access)) {
    return new ProblemError('forbidden', 'Your role does not include this.');
  }
  if (caller.scopes.has(access.scope)) return null;
  return new ProblemError('insufficient-scope', `This needs the scope ${access.scope}.`, {
    headers: {
      'www-authenticate': `Bearer error="insufficient_scope", scope="${access.scope}"`,
    },
    more: { scope: access.scope },
  });
}

function isAdmitted(caller: Caller, access: Access): boolean {
  const { kind } = caller.actor;
  switch (kind) {
    case 'staff':
      return caller.roles.some((role) => access.roles.includes(role));
    case 'customer':
      return access.customers === 'own';
    case 'partner':
      return access.partners === true;
    case 'system':
      return false;
    default:
      return kind satisfies never;
  }
}
