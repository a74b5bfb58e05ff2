// The keys that sign tokens: made, announced before they sign, kept until their tokens are over.
import { sql } from 'kysely';
import type { Db, Tx } from '../client.ts';
import { asServer } from './oidc.ts';

export type SigningKeyRow = {
  readonly kid: string;
  readonly keyId: string;
  readonly privateJwk: Buffer;
  readonly signsFrom: string;
};

export type NewSigningKey = {
  readonly kid: string;
  readonly publicJwk: object;
  readonly keyId: string;
  readonly privateJwk: Uint8Array;
};

/** When a key is over that another follows: as long after as its newest tokens are of use. */
const KEEP = sql`interval '1 day'`;

/** Those that sign, will sign or have signed what is still in use; the newest first. */
export function signingKeys(db: Db): Promise<readonly SigningKeyRow[]> {
  return asServer(db, async (tx) => {
    const { rows } = await sql<SigningKeyRow>`select kid, key_id as "keyId",
        private_jwk as "privateJwk", signs_from as "signsFrom"
      from people.signing_key where retires_at is null or retires_at > now()
      order by signs_from desc, kid`.execute(tx);
    return rows;
  });
}

/** Adds the first key, unless another process was quicker. */
export function addFirstKey(db: Db, key: NewSigningKey): Promise<void> {
  return asServer(db, async (tx) => {
    await oneAtATime(tx);
    await sql`insert into people.signing_key
        (kid, algorithm, public_jwk, key_id, private_jwk, signs_from)
      select ${key.kid}, 'ES256', ${JSON.stringify(key.publicJwk)}::jsonb, ${key.keyId},
        ${Buffer.from(key.privateJwk)}, now()
      where not exists (select from people.signing_key
        where retires_at is null or retires_at > now())`.execute(tx);
  });
}

/**
 * Adds the next key, which signs in `announceS` seconds; the present ones end a day after. Answers
 * false, and does nothing, while another key waits or the newest is younger than `minAgeS`.
 */
export function addNextKey(
  db: Db,
  key: NewSigningKey,
  { announceS, minAgeS }: { readonly announceS: number; readonly minAgeS: number },
): Promise<boolean> {
  return asServer(db, async (tx) => {
    await oneAtATime(tx);
    const { rows } = await sql`select from people.signing_key
      where signs_from > now() - make_interval(secs => ${minAgeS}) limit 1`.execute(tx);
    if (rows.length > 0) return false;
    await sql`update people.signing_key
      set retires_at = now() + make_interval(secs => ${announceS}) + ${KEEP}
      where retires_at is null`.execute(tx);
    await sql`insert into people.signing_key
        (kid, algorithm, public_jwk, key_id, private_jwk, signs_from)
      values (${key.kid}, 'ES256', ${JSON.stringify(key.publicJwk)}::jsonb, ${key.keyId},
        ${Buffer.from(key.privateJwk)}, now() + make_interval(secs => ${announceS}))`.execute(tx);
    return true;
  });
}

/** Processes that start or rotate at once must not each add a key. */
async function oneAtATime(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('people.signing_key'))`.execute(tx);
}
