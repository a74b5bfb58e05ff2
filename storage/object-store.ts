// The object store that the settings name.
import { localStore } from './local-store.ts';
import type { ObjectStore } from './object-key.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** For a checkout: ignored by git, and where the local stack keeps its data too. */
const DEFAULT_DIR = '.forecourt/data/objects';

/**
 * OBJECT_STORE_BUCKET names an S3 bucket, with OBJECT_STORE_ENDPOINT and OBJECT_STORE_REGION where
 * it is not Amazon's; keys come as the SDK finds them (AWS_ACCESS_KEY_ID, a role …). Otherwise
 * files lie in the directory OBJECT_STORE_DIR.
 */
export async function objectStoreFrom(env: Environment): Promise<ObjectStore> {
  const bucket = env['OBJECT_STORE_BUCKET'];
  if (!bucket) return localStore(env['OBJECT_STORE_DIR'] || DEFAULT_DIR);
  // Only who uses it pays for loading the SDK.
  const { s3Store } = await import('./s3-store.ts');
  return s3Store({
    bucket,
    endpoint: env['OBJECT_STORE_ENDPOINT'],
    region: env['OBJECT_STORE_REGION'] || 'us-east-1',
  });
}
