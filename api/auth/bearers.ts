// Who stands behind a verified token or an API key, as the people rows say it is now.
import type { JWTPayload } from 'jose';
import type { Db } from '../../db/client.ts';
import { apiKeyByToken, type KnownApiKey } from '../../db/commands/api-keys.ts';
import {
  type ClientIdentity,
  clientIdentity,
  customerSessionOpen,
  type OutsideSignOut,
  outsideSignOut,
  type PartnerIdentity,
  partnerIdentity,
  type StaffIdentity,
  staffIdBySubject,
  staffIdentity,
} from '../../db/queries/identity.ts';
import type { Bearers } from './authenticate.ts';
import type { Caller } from './caller.ts';
import { both, claimAt, NOBODY, partnerCaller, rolesIn, scopesIn, staffCaller } from './callers.ts';
import { type Remembered, remembering } from './snapshots.ts';
import { badToken, type VerifyToken } from './tokens.ts';

export type BearerOptions = {
  readonly db: Db;
  readonly verify: VerifyToken;
  readonly now: () => string;
  /** Set when tokens are an outside issuer's: it says who somebody is and which roles he has. */
  readonly outside?: { readonly issuer: string; readonly rolesClaim: string };
};

type Claims = JWTPayload & { readonly sub: string };

type Known = BearerOptions & {
  /** A signature is checked once in three seconds: it costs more than all the rest of a read. */
  readonly claims: Remembered<Claims>;
  readonly staff: Remembered<StaffIdentity | undefined>;
  readonly outsiders: Remembered<string | undefined>;
  readonly signOuts: Remembered<OutsideSignOut>;
  readonly customers: Remembered<boolean>;
  readonly clients: Remembered<ClientIdentity | undefined>;
  readonly partners: Remembered<PartnerIdentity | undefined>;
  readonly keys: Remembered<KnownApiKey | undefined>;
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function createBearers(options: BearerOptions): Bearers {
  const known: Known = {
    ...options,
    claims: remembering(),
    staff: remembering(),
    outsiders: remembering(),
    signOuts: remembering(),
    customers: remembering(),
    clients: remembering(),
    partners: remembering(),
    keys: remembering(),
  };
  return {
    ofToken: async (token) =>
      callerOf(known, await known.claims.get(token, () => options.verify(token))),
    ofKey: (key) => ofKey(known, key),
  };
}

async function callerOf(known: Known, claims: Claims): Promise<Caller> {
  if (known.outside !== undefined) return ofOutsider(known, known.outside, claims);
  switch (claims['kind']) {
    case 'staff':
      return ofStaff(known, claims);
    case 'customer':
      return ofCustomer(known, claims);
    case 'partner':
      return ofClient(known, claims);
    default:
      throw badToken('invalid-token');
  }
}

async function ofStaff({ db, staff }: Known, claims: Claims): Promise<Caller> {
  const { sub: id, sid, uv } = claims;
  if (!isUuid(id) || !isUuid(sid) || !Number.isSafeInteger(uv)) throw badToken('invalid-token');
  const load = () => staffIdentity(db, id, sid);
  const key = `${id} ${sid}`;
  let person = await staff.get(key, load);
  // A token that is younger than what is remembered: somebody signed in right after a change.
  if (person !== undefined && Number(uv) > person.version) {
    person = await staff.get(key, load, true);
  }
  if (person?.status !== 'active' || !person.sessionOpen || person.version !== uv) {
    throw badToken('token-revoked');
  }
  const scopes = scopesIn(claims['scope']);
  return staffCaller(id, rolesIn(person.roles), person, { scopes, sessionId: sid });
}

async function ofOutsider(
  { db, outsiders, signOuts, staff }: Known,
  { issuer, rolesClaim }: NonNullable<BearerOptions['outside']>,
  claims: Claims,
): Promise<Caller> {
  const { sub } = claims;
  // A logout token may be for the same audience and of the same type, and proves nobody's sign-in.
  if (claims['events'] !== undefined) throw badToken('invalid-token');
  const sid = typeof claims['sid'] === 'string' ? claims['sid'] : null;
  const [id, out] = await Promise.all([
    outsiders.get(sub, () => staffIdBySubject(db, issuer, sub)),
    signOuts.get(JSON.stringify([sub, sid]), () => outsideSignOut(db, issuer, sub, sid)),
  ]);
  if (id === undefined) throw badToken('token-revoked');
  const isBefore = out.before !== null && Number(claims.iat) <= out.before;
  if (out.ended || isBefore) throw badToken('token-revoked');
  const person = await staff.get(id, () => staffIdentity(db, id, null));
  // Who left, or was suspended here, stays out whatever the issuer says.
  if (person?.status !== 'active') throw badToken('token-revoked');
  const scopes = scopesIn(claims['scope'] ?? claims['scp']);
  return staffCaller(id, rolesIn(claimAt(claims, rolesClaim)), person, { scopes });
}

async function ofCustomer({ db, customers }: Known, claims: Claims): Promise<Caller> {
  const { sub: id, sid } = claims;
  if (!isUuid(id) || !isUuid(sid)) throw badToken('invalid-token');
  const open = await customers.get(`${id} ${sid}`, () => customerSessionOpen(db, id, sid));
  if (!open) throw badToken('token-revoked');
  const actor = { kind: 'customer', id } as const;
  return { ...NOBODY, actor, scopes: scopesIn(claims['scope']), sessionId: sid };
}

async function ofClient({ db, clients }: Known, claims: Claims): Promise<Caller> {
  const { sub: id } = claims;
  const client = await clients.get(id, () => clientIdentity(db, id));
  if (client?.status !== 'active' || client.clientStatus !== 'active') {
    throw badToken('token-revoked');
  }
  return partnerCaller(client, {
    scopes: both(scopesIn(claims['scope']), scopesIn(client.scopes)),
  });
}

/** The rights are the owner's of now, not those of the day on which the key was made. */
async function ofKey({ db, now, staff, partners, keys }: Known, text: string): Promise<Caller> {
  const key = await keys.get(text, () => apiKeyByToken(db, text));
  if (key === undefined) throw badToken('invalid-token');
  if (key.state === 'revoked') throw badToken('token-revoked');
  if (key.state === 'expired' || Date.parse(key.expiresAt) <= Date.parse(now())) {
    throw badToken('token-expired');
  }
  const [kind, id = ''] = key.owner.split(':');
  const more = { via: 'api-key', keyId: key.id, scopes: scopesIn(key.scopes) } as const;
  if (kind === 'partner') {
    const partner = await partners.get(id, () => partnerIdentity(db, id));
    if (partner?.status !== 'active') throw badToken('token-revoked');
    return partnerCaller(partner, more);
  }
  const person = await staff.get(id, () => staffIdentity(db, id, null));
  if (person?.status !== 'active') throw badToken('token-revoked');
  return staffCaller(id, rolesIn(person.roles), person, more);
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}
