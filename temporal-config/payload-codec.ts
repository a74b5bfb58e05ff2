// Encrypts everything that Temporal stores about a workflow, with keys that can be changed.
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { type Payload, type PayloadCodec, ValueError } from '@temporalio/common';
import proto from '@temporalio/proto';

/** The first key encrypts; all of them decrypt, so that old histories stay readable. */
export type PayloadKey = { readonly id: string; readonly key: Buffer };

type ReadyKey = { readonly id: string; readonly key: KeyObject };

const ENCODING = 'binary/encrypted';
const CIPHER = 'AES-256-GCM';
const KEY_BYTES = 32;
/** 96 bits, as GCM wants it; random, because keys are changed long before 2^32 payloads. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Reads `PAYLOAD_KEYS`: `k2:<base64 of 32 bytes>,k1:…`, newest first.
 * Throws an Error that names the entry, never its key.
 */
export function parsePayloadKeys(text: string | undefined): readonly PayloadKey[] {
  if (text === undefined || text.trim() === '') {
    throw new Error(
      'PAYLOAD_KEYS is not set. It wants <id>:<base64 of 32 bytes>, newest first, comma-separated.',
    );
  }
  const keys = text.split(',').map((entry, index) => {
    const [id, encoded, ...rest] = entry.trim().split(':');
    const key = Buffer.from(encoded ?? '', 'base64');
    if (!id || rest.length > 0 || key.length !== KEY_BYTES) {
      throw new Error(`PAYLOAD_KEYS: entry ${index + 1} is not <id>:<base64 of 32 bytes>.`);
    }
    return { id, key };
  });
  if (new Set(keys.map((key) => key.id)).size < keys.length) {
    throw new Error('PAYLOAD_KEYS: two keys have the same id.');
  }
  return keys;
}

/**
 * AES-256-GCM over the whole payload, its metadata included. The key's id is readable beside it
 * and is authenticated, like everything else. Decoding throws ValueError for an unknown key or
 * changed bytes; payloads that were never encrypted pass, because the server makes some itself.
 */
export function createPayloadCodec(keys: readonly PayloadKey[]): PayloadCodec {
  // Made once: bytes would be made a key for each payload, which takes longer than to encrypt it.
  const ready = keys.map(({ id, key }) => ({ id, key: createSecretKey(key) }));
  const [current] = ready;
  if (current === undefined) throw new Error('The payload codec needs at least one key.');
  const byId = new Map(ready.map((key) => [key.id, key]));
  return {
    encode: async (payloads) => payloads.map((payload) => encrypt(current, payload)),
    decode: async (payloads) => payloads.map((payload) => decrypt(byId, payload)),
  };
}

function encrypt({ id, key }: ReadyKey, payload: Payload): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(id));
  const plain = proto.temporal.api.common.v1.Payload.encode(payload).finish();
  const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return {
    metadata: {
      encoding: Buffer.from(ENCODING),
      'encryption-cipher': Buffer.from(CIPHER),
      'encryption-key-id': Buffer.from(id),
    },
    data,
  };
}

function decrypt(byId: ReadonlyMap<string, ReadyKey>, payload: Payload): Payload {
  if (text(payload.metadata?.['encoding']) !== ENCODING) return payload;
  const id = text(payload.metadata?.['encryption-key-id']);
  const known = byId.get(id);
  if (known === undefined) {
    throw new ValueError(`The payload was encrypted with key '${id}', which is not configured.`);
  }
  const data = Buffer.from(payload.data ?? []);
  if (data.length < NONCE_BYTES + TAG_BYTES) throw new ValueError('The payload is cut short.');
  const decipher = createDecipheriv('aes-256-gcm', known.key, data.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(id));
  decipher.setAuthTag(data.subarray(-TAG_BYTES));
  try {
    const sealed = data.subarray(NONCE_BYTES, -TAG_BYTES);
    return proto.temporal.api.common.v1.Payload.decode(
      Buffer.concat([decipher.update(sealed), decipher.final()]),
    );
  } catch (cause) {
    throw new ValueError(`The payload does not open with key '${id}': it was changed.`, cause);
  }
}

function text(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('utf8');
}
