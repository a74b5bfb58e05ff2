// Files for the object store, noted first: none stays there that no row comes to name.
import type { Acting } from '../db/client.ts';
import { expectFile } from '../db/commands/file-removals.ts';
import { keyOf, type ObjectKey } from '../storage/object-key.ts';
import type { ApiDeps } from './deps.ts';

/** The row that names it has to be written within the hour, by `fileNamed` in its transaction. */
export async function putNoted(
  { db, objects }: Pick<ApiDeps, 'db' | 'objects'>,
  acting: Acting,
  bytes: Uint8Array,
  mediaType: string,
): Promise<ObjectKey> {
  await expectFile(db, acting, keyOf(bytes));
  return objects.put(bytes, mediaType);
}
