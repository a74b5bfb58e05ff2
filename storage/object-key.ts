// The port to where files lie that are too large for rows, and the name that their content gives.
import { createHash } from 'node:crypto';

/** The SHA-256 of an object's bytes in hex: its name, so that what is there never changes. */
export type ObjectKey = string;

export type ObjectStore = {
  /** Resolves when the bytes are safe; a repeat changes nothing. */
  readonly put: (bytes: Uint8Array, mediaType: string) => Promise<ObjectKey>;
  /** Rejects when the object is not there, or is not what its key says. */
  readonly get: (key: ObjectKey) => Promise<Uint8Array>;
  /**
   * For what names a person who is erased; gone already is gone. Rejects when this is no store at
   * all: then the file stays where it is.
   */
  readonly remove: (key: ObjectKey) => Promise<void>;
};

/** What was stored is gone or was changed behind our back; the row that names it is right. */
export class ObjectBroken extends Error {
  constructor(key: ObjectKey, what: 'missing' | 'changed', options?: ErrorOptions) {
    super(`Object ${key} is ${what}.`, options);
    this.name = 'ObjectBroken';
  }
}

export function keyOf(bytes: Uint8Array): ObjectKey {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The bytes, if they are those that the key was made of. */
export function verified(key: ObjectKey, bytes: Uint8Array): Uint8Array {
  if (keyOf(bytes) !== key) throw new ObjectBroken(key, 'changed');
  return bytes;
}
