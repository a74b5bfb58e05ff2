// Seals single values for their columns: whoever copies the tables without the keys learns nothing.
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** Where a sealed value lies. It opens there only: not in another row, not in another column. */
export type SealedAt = { readonly table: string; readonly column: string; readonly id: string };

export type Sealed = { readonly keyId: string; readonly bytes: Buffer };

export type Envelope = {
  readonly currentKeyId: string;
  readonly seal: (plain: string | Uint8Array, aad: SealedAt) => Sealed;
  /** Throws an Error for a key that is not configured, and for bytes that do not open here. */
  readonly open: (sealed: Sealed, aad: SealedAt) => Buffer;
  /**
   * Keyed digests by which equal values are found, one for each key, the current key's first. The
   * purpose keeps equal values of different columns apart.
   */
  readonly digests: (plain: string, purpose: string) => readonly Buffer[];
  /** With the current key; undefined when it is sealed with that already. */
  readonly reseal: (sealed: Sealed, aad: SealedAt) => Sealed | undefined;
};

const KEY_BYTES = 32;
/** 96 bits, as GCM wants it; random, because a key is changed long before 2^32 values. */
const IV_BYTES = 12;
const TAG_BYTES = 16;
const BASE64_OF_32_BYTES = /^[A-Za-z0-9+/]{43}=$/;

/**
 * `keys` is DATA_KEYS: `id:<base64 of 32 bytes>,id2:…`; the first seals, all of them open. Throws an
 * Error that names the entry, never its key.
 */
export function openEnvelope(keys: string): Envelope {
  const byId = parseKeys(keys);
  const currentKeyId = [...byId.keys()][0] ?? '';
  const keyOf = (id: string) => {
    const key = byId.get(id);
    if (key === undefined) {
      throw new Error(`A value is sealed with key '${id}', which DATA_KEYS does not have.`);
    }
    return key;
  };
  const envelope: Envelope = {
    currentKeyId,
    seal: (plain, aad) => ({
      keyId: currentKeyId,
      bytes: encrypt(keyOf(currentKeyId), plain, asBytes(aad)),
    }),
    open: ({ keyId, bytes }, aad) => decrypt(keyOf(keyId), bytes, aad),
    digests: (plain, purpose) => [...byId.values()].map((key) => digest(key, plain, purpose)),
    reseal: (sealed, aad) =>
      sealed.keyId === currentKeyId ? undefined : envelope.seal(envelope.open(sealed, aad), aad),
  };
  return envelope;
}

function parseKeys(text: string): ReadonlyMap<string, Buffer> {
  const entries = text.split(',').map((entry, index) => {
    const [id, encoded, ...rest] = entry.trim().split(':');
    const key = Buffer.from(encoded ?? '', 'base64');
    const sound = BASE64_OF_32_BYTES.test(encoded ?? '') && key.length === KEY_BYTES;
    if (!id || rest.length > 0 || !sound) {
      throw new Error(`DATA_KEYS: entry ${index + 1} is not <id>:<base64 of 32 bytes>.`);
    }
    return [id, key] as const;
  });
  const byId = new Map(entries);
  if (byId.size < entries.length) throw new Error('DATA_KEYS: two keys have the same id.');
  return byId;
}

/** Under a key of its own, so that what seals is used for nothing else. */
function digest(key: Buffer, plain: string, purpose: string): Buffer {
  const own = hkdfSync('sha256', key, '', `forecourt digest ${purpose}`, KEY_BYTES);
  return createHmac('sha256', Buffer.from(own)).update(plain).digest();
}

function encrypt(key: Buffer, plain: string | Uint8Array, aad: Buffer): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  const bytes = typeof plain === 'string' ? Buffer.from(plain) : plain;
  return Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, sealed: Uint8Array, at: SealedAt): Buffer {
  const bytes = Buffer.from(sealed);
  const wrong = (cause?: unknown) =>
    new Error(`The value of ${at.table}.${at.column} does not open: it was changed or moved.`, {
      cause,
    });
  if (bytes.length < IV_BYTES + TAG_BYTES) throw wrong();
  const options = { authTagLength: TAG_BYTES };
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), options);
  decipher.setAAD(asBytes(at));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw wrong(cause);
  }
}

/** Names of tables and columns hold no slash, so the three parts cannot run into each other. */
function asBytes({ table, column, id }: SealedAt): Buffer {
  return Buffer.from(`${table}/${column}/${id}`);
}
