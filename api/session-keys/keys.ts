// The cryptography of encrypted sessions: a key agreement, two keys, and messages that fit one place.
import { createCipheriv, createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';
import { ProblemError } from '../problems.ts';

/** One a direction, so that no message can be sent back to who wrote it. */
export type SessionKeys = { readonly request: Buffer; readonly answer: Buffer };

/** What a message is bound to: elsewhere, or another time, it does not open. */
export type MessagePlace = {
  readonly sessionId: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly sequence: number;
};

const CURVE = 'prime256v1';
/** An uncompressed point (SEC 1 section 2.3.3): 0x04, x, y. */
const POINT_BYTES = 65;
const UNCOMPRESSED = 0x04;
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * The server's half of ECDH on P-256 (RFC 8422), with a pair of keys made for this session alone.
 * `clientPoint` is an uncompressed point; throws `invalid-key` for whatever is none of the curve.
 */
export function agree(
  clientPoint: Buffer,
  sessionId: string,
): { readonly serverPoint: Buffer; readonly keys: SessionKeys } {
  const own = createECDH(CURVE);
  const serverPoint = own.generateKeys();
  const shared = sharedSecret(own, clientPoint);
  return { serverPoint, keys: sessionKeys(shared, clientPoint, serverPoint, sessionId) };
}

function sharedSecret(own: ReturnType<typeof createECDH>, point: Buffer): Buffer {
  if (point.length !== POINT_BYTES || point[0] !== UNCOMPRESSED) throw invalidKey();
  try {
    // OpenSSL checks that the point lies on the curve; P-256 has no other subgroup to fall into.
    return own.computeSecret(point);
  } catch {
    throw invalidKey();
  }
}

function invalidKey(): ProblemError {
  return new ProblemError('invalid-key', 'The public key is no uncompressed point of P-256.');
}

/** HKDF-SHA256 (RFC 5869) over the shared x, salted with both public keys. */
export function sessionKeys(
  shared: Uint8Array,
  clientPoint: Uint8Array,
  serverPoint: Uint8Array,
  sessionId: string,
): SessionKeys {
  const salt = Buffer.concat([clientPoint, serverPoint]);
  const derive = (direction: string) =>
    Buffer.from(
      hkdfSync('sha256', shared, salt, `forecourt session v1 ${direction} ${sessionId}`, KEY_BYTES),
    );
  return { request: derive('request'), answer: derive('answer') };
}

/** AES-256-GCM: a fresh IV of 12 bytes, the ciphertext, the tag of 16 bytes. */
export function sealMessage(key: Buffer, plain: Uint8Array, place: MessagePlace): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(bound(place));
  return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Throws `decryption-failed`, in one text and after the same work, whatever is wrong. */
export function openMessage(key: Buffer, sealed: Buffer, place: MessagePlace): Buffer {
  const isWhole = sealed.length >= IV_BYTES + TAG_BYTES;
  const bytes = isWhole ? sealed : Buffer.alloc(IV_BYTES + TAG_BYTES);
  const options = { authTagLength: TAG_BYTES };
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), options);
  decipher.setAAD(bound(place));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const plain = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    throw new ProblemError('decryption-failed', 'The message does not open in this session.');
  }
}

/** None of the parts holds a space, so they cannot run into each other. */
function bound({ method, path, sequence, sessionId }: MessagePlace): Buffer {
  return Buffer.from(`${method} ${path} ${sequence} ${sessionId}`);
}
