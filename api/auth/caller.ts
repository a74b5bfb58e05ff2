// Who sent a request, as authentication found it: what every later check goes by.
import type { Actor } from '../../domain/actor.ts';
import type { Branches, Limits, Role, Scope } from '../../domain/people.ts';

export type Caller = {
  readonly actor: Actor;
  /** Empty for customers and partners. */
  readonly roles: readonly Role[];
  /** Empty for customers, who see what is their own wherever it is. */
  readonly branches: Branches;
  /** The negotiated rates that a partner may ask for; staff ask for any, and have none here. */
  readonly rates: readonly string[];
  readonly limits: Limits;
  /** What the token or key may be used for; the roles' rights end where these end. */
  readonly scopes: ReadonlySet<Scope>;
  readonly via: 'access-token' | 'api-key';
  /** The API key itself, whose owner is the actor; null for tokens. */
  readonly keyId: string | null;
  /** The sign-in session of a token; null for keys and client credentials. */
  readonly sessionId: string | null;
};
