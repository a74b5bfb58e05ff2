// Both object stores keep one promise: what was put comes back whole, or not at all.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localStore } from '../../storage/local-store.ts';
import { keyOf, type ObjectStore } from '../../storage/object-key.ts';
import { objectStoreFrom } from '../../storage/object-store.ts';

const FILE = Buffer.from('%PDF-1.7 a registration');
const KEY = createHash('sha256').update(FILE).digest('hex');
const PDF = 'application/pdf';

let directory: string;
let bucket: FakeBucket;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'objects-'));
  bucket = await fakeBucket();
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIDTEST';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'not-a-secret';
});
afterAll(async () => {
  bucket.server.close();
  await rm(directory, { recursive: true });
});

type FakeBucket = {
  readonly server: Server;
  readonly url: string;
  readonly objects: Map<string, Buffer>;
  readonly seen: IncomingMessage['headers'][];
};

/** The outside world: a server that speaks as much S3 as is asked of it. */
async function fakeBucket(): Promise<FakeBucket> {
  const objects = new Map<string, Buffer>();
  const seen: IncomingMessage['headers'][] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (request.method === 'PUT') {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        objects.set(path, Buffer.concat(chunks));
        response.writeHead(200, { etag: '"1"' }).end();
      });
      return;
    }
    const found = objects.get(path);
    if (found) response.writeHead(200, { 'content-length': found.length }).end(found);
    else {
      response.writeHead(404, { 'content-type': 'application/xml' });
      response.end('<Error><Code>NoSuchKey</Code><Message>None</Message></Error>');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}`, objects, seen };
}

const stores: readonly [string, () => Promise<ObjectStore>][] = [
  ['a directory', () => objectStoreFrom({ OBJECT_STORE_DIR: directory })],
  [
    'a bucket',
    () => objectStoreFrom({ OBJECT_STORE_BUCKET: 'papers', OBJECT_STORE_ENDPOINT: bucket.url }),
  ],
];

describe.each(stores)('%s', (_, open) => {
  test('gives back what was put, under the hash of its bytes; twice is once', async () => {
    const store = await open();
    expect(await store.put(FILE, PDF)).toBe(KEY);
    expect(await store.put(FILE, PDF)).toBe(KEY);
    expect(Buffer.from(await store.get(KEY))).toEqual(FILE);
  });

  test('says that it does not have what was never put', async () => {
    const store = await open();
    await expect(store.get(keyOf(Buffer.from('other')))).rejects.toThrow(/is missing/);
  });
});

test('a file that was changed behind our back is not handed out', async () => {
  const store = localStore(directory);
  await store.put(FILE, PDF);
  await writeFile(join(directory, KEY.slice(0, 2), KEY), 'something else');
  await expect(store.get(KEY)).rejects.toThrow(/is changed/);
  const path = `/papers/objects/${KEY.slice(0, 2)}/${KEY}`;
  const [, open] = stores[1] ?? [];
  const remote = await open?.();
  await remote?.put(FILE, PDF);
  bucket.objects.set(path, Buffer.from('something else'));
  await expect(remote?.get(KEY)).rejects.toThrow(/is changed/);
});

test('a directory holds whole files only, even when many are written at once', async () => {
  const store = localStore(directory);
  const file = Buffer.alloc(1_000_000, 7);
  await Promise.all(Array.from({ length: 8 }, () => store.put(file, PDF)));
  expect(await readdir(join(directory, keyOf(file).slice(0, 2)))).toEqual([keyOf(file)]);
});

test('what is gone is gone, but nothing is gone from where no store is', async () => {
  const store = localStore(directory);
  const key = await store.put(Buffer.from('a signature'), PDF);
  await store.remove(key);
  await expect(store.get(key)).rejects.toThrow(/is missing/);
  await store.remove(key);
  const empty = await mkdtemp(join(directory, 'empty-'));
  for (const place of [empty, join(empty, 'nowhere')]) {
    await expect(localStore(place).remove(key)).rejects.toThrow(`No store lies in ${place}`);
  }
});

test('requests to a bucket are signed, with the key of the settings', () => {
  expect(bucket.seen.length).toBeGreaterThan(0);
  for (const headers of bucket.seen) {
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDTEST\/\d{8}\/us-east-1\/s3\/aws4_request, SignedHeaders=/,
    );
    expect(headers['x-amz-date']).toMatch(/^\d{8}T\d{6}Z$/);
    expect(headers['x-amz-content-sha256']).toBeTruthy();
  }
});
