// Where servers come from: the environment first, then the cache, then PATH, and only then a fetch.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Fetch, type Redis, stackModule, type Temporal } from './stack.ts';

const { fetched, checkSums } = await stackModule<Fetch>('fetch.mjs');
const { redis } = await stackModule<Redis>('servers/redis.mjs');
const { keepKind } = await stackModule<Temporal>('servers/temporal.mjs');
let base: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'forecourt-stack-'));
});
afterEach(() => rmSync(base, { recursive: true }));

test('a server that the environment names is used as it is, and its password is not shown', async () => {
  const { server, port } = await listening();
  const url = `redis://someone:secret@127.0.0.1:${port}`;
  const part = await redis({ environment: { REDIS_URL: url } });
  server.close();
  expect(part).toMatchObject({ external: true, how: 'REDIS_URL' });
  expect(part.address).toBe(`redis://127.0.0.1:${port}`);
});

test('a named server that does not answer is one clear line', async () => {
  const { server, port } = await listening();
  await new Promise((done) => server.close(done));
  await expect(redis({ environment: { REDIS_URL: `redis://127.0.0.1:${port}` } })).rejects.toThrow(
    `nothing answers at 127.0.0.1:${port}, which REDIS_URL names`,
  );
});

test('what is in the cache comes before PATH, and PATH before a fetch', async () => {
  const forbidden = () => {
    throw new Error('must not be asked');
  };
  mkdirSync(join(base, 'cached'));
  const cached = await fetched('cached', forbidden, { base, installed: forbidden });
  expect(cached).toEqual({ dir: join(base, 'cached'), how: 'cache' });
  const installed = await fetched('other', forbidden, { base, installed: () => '/opt/other' });
  expect(installed).toEqual({ dir: '/opt/other', how: 'PATH' });
});

test('two that need the same thing fetch it once', async () => {
  let builds = 0;
  const build = async (dir: string) => {
    builds += 1;
    await new Promise((done) => setTimeout(done, 100));
    writeFileSync(join(dir, 'file'), '');
  };
  const both = await Promise.all([fetched('it', build, { base }), fetched('it', build, { base })]);
  expect(both.map(({ how }) => how).sort()).toEqual(['cache', 'fetched']);
  expect(builds).toBe(1);
});

test('a fetch that fails leaves nothing that looks finished, and the next one begins anew', async () => {
  const failing = (dir: string) => {
    writeFileSync(join(dir, 'half'), '');
    throw new Error('cut off');
  };
  await expect(fetched('it', failing, { base })).rejects.toThrow('cut off');
  expect(existsSync(join(base, 'it'))).toBe(false);
  const { dir } = await fetched('it', () => {}, { base });
  expect(existsSync(join(dir, 'half'))).toBe(false);
});

test('the lock of a process that is gone is taken over', async () => {
  writeFileSync(join(base, 'it.lock'), JSON.stringify({ pid: 1, startTime: 'long ago' }));
  expect((await fetched('it', () => {}, { base })).how).toBe('fetched');
});

test('a file that is not the pinned one is refused', () => {
  const list = join(base, 'sums');
  writeFileSync(join(base, 'a.jar'), 'something else');
  writeFileSync(list, `${'0'.repeat(64)}  a.jar\n`);
  expect(() => checkSums(base, ['a.jar'], list)).toThrow('a.jar is not the file that was pinned');
  expect(() => checkSums(base, [], list)).toThrow('a.jar');
});

function listening(): Promise<{ readonly server: Server; readonly port: number }> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.end());
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('No TCP address.');
      resolve({ server, port: address.port });
    });
  });
}

test('data of one kind of Temporal server is refused to the other, and stays', () => {
  const places = { data: base, run: base, logs: base };
  keepKind(places, 'real');
  keepKind(places, 'real');
  expect(() => keepKind(places, 'development')).toThrow(/belongs to Temporal's real server/);
  keepKind(places, 'real');
});
