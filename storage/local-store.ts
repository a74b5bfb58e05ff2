// Objects as files of one directory: written whole or not at all, and on the disk before it is said.
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { keyOf, ObjectBroken, type ObjectKey, type ObjectStore, verified } from './object-key.ts';

export function localStore(directory: string): ObjectStore {
  /** Spread over 256 directories, which every file system takes well. */
  const pathOf = (key: ObjectKey) => join(directory, key.slice(0, 2), key);
  return {
    async put(bytes) {
      const key = keyOf(bytes);
      const path = pathOf(key);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeWhole(path, bytes);
      return key;
    },
    async get(key) {
      const bytes = await readFile(pathOf(key)).catch((cause: unknown) => {
        throw new ObjectBroken(key, 'missing', { cause });
      });
      return verified(key, bytes);
    },
    async remove(key) {
      await rm(pathOf(key)).catch(async (error: unknown) => {
        if (!isAbsent(error)) throw error;
        if (await isStore(directory)) return;
        throw new Error(`No store lies in ${directory}: is it mounted?`, { cause: error });
      });
    },
  };
}

/**
 * Whether files were ever put there. A directory that is empty or missing is a wrong mount: from the
 * right one whoever is asked to remove something would not find it gone.
 */
async function isStore(directory: string): Promise<boolean> {
  const names = await readdir(directory).catch(() => []);
  return names.some((name) => /^[0-9a-f]{2}$/.test(name));
}

function isAbsent(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === 'ENOENT';
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const beside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = await open(beside, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Without it a power cut may forget the new name. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
