// The signing keys of this process: private ones for the server, public ones for whoever verifies.
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Db } from '../../../db/client.ts';
import {
  addFirstKey,
  addNextKey,
  type NewSigningKey,
  type SigningKeyRow,
  signingKeys,
} from '../../../db/commands/signing-keys.ts';
import type { Envelope } from '../../../db/envelope.ts';

export const ALGORITHM = 'ES256';

/** Far above the time for which verifiers may keep a key set. */
const ANNOUNCE_S = 3_600;
const MAX_AGE_S = 90 * 86_400;

export type KeySet = {
  /** The one that signs is the first. */
  readonly privateKeys: readonly JWK[];
};

export type SigningKeys = {
  readonly current: () => KeySet;
  /** Reads them again; answers whether anything changed. */
  readonly refresh: () => Promise<boolean>;
  /** Announces the next key; `announceS` seconds later it signs. False while one waits already. */
  readonly rotate: (announceS?: number) => Promise<boolean>;
  /** Rotates when the newest key has signed for 90 days. */
  readonly rotateIfOld: () => Promise<boolean>;
};

/** Makes the first key where there is none. */
export async function openSigningKeys(db: Db, envelope: Envelope): Promise<SigningKeys> {
  let set = await load(db, envelope);
  if (set.privateKeys.length === 0) {
    await addFirstKey(db, await newKey(envelope));
    set = await load(db, envelope);
  }
  const next = async (announceS: number, minAgeS: number) =>
    addNextKey(db, await newKey(envelope), { announceS, minAgeS });
  return {
    current: () => set,
    refresh: async () => {
      const before = kids(set);
      set = await load(db, envelope);
      return kids(set) !== before;
    },
    rotate: (announceS = ANNOUNCE_S) => next(announceS, 0),
    rotateIfOld: () => next(ANNOUNCE_S, MAX_AGE_S),
  };
}

async function load(db: Db, envelope: Envelope): Promise<KeySet> {
  const rows = await signingKeys(db);
  const now = new Date().toISOString();
  const signing = rows.find((row) => row.signsFrom <= now) ?? rows[0];
  const ordered = rows.toSorted((a, b) => Number(b === signing) - Number(a === signing));
  const privateKeys = ordered.map((row) => opened(row, envelope));
  return { privateKeys };
}

function kids(set: KeySet): string {
  return set.privateKeys.map((key) => key.kid).join();
}

function opened(row: SigningKeyRow, envelope: Envelope): JWK {
  const sealed = { keyId: row.keyId, bytes: row.privateJwk };
  return JSON.parse(envelope.open(sealed, sealedAt(row.kid)).toString()) as JWK;
}

function publicPart({ d: _secret, ...rest }: JWK): JWK {
  return rest;
}

async function newKey(envelope: Envelope): Promise<NewSigningKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const bare = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(bare);
  const jwk = { ...bare, kid, alg: ALGORITHM, use: 'sig' };
  const { keyId, bytes } = envelope.seal(JSON.stringify(jwk), sealedAt(kid));
  return { kid, publicJwk: publicPart(jwk), keyId, privateJwk: bytes };
}

function sealedAt(kid: string) {
  return { table: 'people.signing_key', column: 'private_jwk', id: kid };
}
