// Objects in a bucket that speaks S3, Amazon's or any other.
import {
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { keyOf, ObjectBroken, type ObjectKey, type ObjectStore, verified } from './object-key.ts';

/** A folder, so that a bucket can have other things in it. */
const PREFIX = 'objects';
const TIMEOUT_MS = 20_000;

type Settings = {
  readonly bucket: string;
  readonly endpoint?: string | undefined;
  readonly region: string;
};

export function s3Store({ bucket, endpoint, region }: Settings): ObjectStore {
  const client = new S3Client({
    region,
    // Other makers' servers know buckets by path; their names need no DNS.
    ...(endpoint && { endpoint, forcePathStyle: true }),
    // Older servers refuse checksums that they do not know; the key is one already.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const place = (key: ObjectKey) => ({
    Bucket: bucket,
    Key: `${PREFIX}/${key.slice(0, 2)}/${key}`,
  });
  return {
    async put(bytes, mediaType) {
      const key = keyOf(bytes);
      const command = new PutObjectCommand({ ...place(key), Body: bytes, ContentType: mediaType });
      await client.send(command, { abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
      return key;
    },
    async get(key) {
      const abortSignal = AbortSignal.timeout(TIMEOUT_MS);
      try {
        const { Body } = await client.send(new GetObjectCommand(place(key)), { abortSignal });
        return verified(key, (await Body?.transformToByteArray()) ?? new Uint8Array());
      } catch (error) {
        if (!(error instanceof NoSuchKey)) throw error;
        throw new ObjectBroken(key, 'missing', { cause: error });
      }
    },
    async remove(key) {
      const abortSignal = AbortSignal.timeout(TIMEOUT_MS);
      await client.send(new DeleteObjectCommand(place(key)), { abortSignal });
    },
  };
}
