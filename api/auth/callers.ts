// Builds callers from what the people rows and the claims of a token say; what neither names is none.
import type { JWTPayload } from 'jose';
import type { PartnerIdentity, StaffIdentity } from '../../db/queries/identity.ts';
import { limitsOf, ROLES, type Role, SCOPES, type Scope } from '../../domain/people.ts';
import type { Caller } from './caller.ts';

export const NOBODY = {
  roles: [],
  branches: [],
  rates: [],
  limits: limitsOf([]),
  scopes: new Set<Scope>(),
  via: 'access-token',
  keyId: null,
  sessionId: null,
} as const satisfies Omit<Caller, 'actor'>;

/** `roles` are the row's, or those that an outside issuer names. */
export function staffCaller(
  id: string,
  roles: readonly Role[],
  { branches }: StaffIdentity,
  more: Partial<Caller>,
): Caller {
  return {
    ...NOBODY,
    actor: { kind: 'staff', id },
    roles,
    branches: branches ?? 'all',
    limits: limitsOf(roles),
    ...more,
  };
}

export function partnerCaller(
  { partnerId, branches, rates }: PartnerIdentity,
  more: Partial<Caller>,
): Caller {
  const actor = { kind: 'partner', id: partnerId } as const;
  return { ...NOBODY, actor, branches, rates, ...more };
}

export function rolesIn(value: unknown): readonly Role[] {
  return Array.isArray(value) ? ROLES.filter((role) => value.includes(role)) : [];
}

/** A list, or one text with spaces between (RFC 6749 section 3.3); others' scopes are passed over. */
export function scopesIn(value: unknown): ReadonlySet<Scope> {
  const given = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [];
  return new Set(SCOPES.filter((scope) => given.includes(scope)));
}

export function both(one: ReadonlySet<Scope>, other: ReadonlySet<Scope>): ReadonlySet<Scope> {
  return new Set([...one].filter((scope) => other.has(scope)));
}

/** `realm_access.roles` is what Keycloak has; an exact name goes first, as Auth0's have dots. */
export function claimAt(claims: JWTPayload, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, name)
          ? (value as Record<string, unknown>)[name]
          : undefined,
      claims,
    );
}
