// What operators ask a process: is it alive, is it ready, how is it doing.
import { afterEach, expect, test } from 'vitest';
import { type Health, type InternalServer, serveInternal } from '../../workers/internal-server.ts';

let server: InternalServer | undefined;
afterEach(() => server?.close());

async function ask(path: string, ready: () => Promise<Record<string, Health>>, init?: RequestInit) {
  server = await serveInternal({ port: 0, ready, metrics: async () => 'up 1\n' });
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
  return { status: answer.status, body: await answer.text() };
}

const allUp = async () => ({ postgres: 'up', temporal: 'up' }) as const;

test('a process that runs is alive, whatever its dependencies do', async () => {
  const answer = await ask('/health/live', () => Promise.reject(new Error('down')));
  expect(answer).toEqual({ status: 200, body: '{"status":"up"}' });
});

test('it is ready when every dependency is', async () => {
  const { status, body } = await ask('/health/ready', allUp);
  expect(status).toBe(200);
  expect(JSON.parse(body)).toEqual({ status: 'up', dependencies: await allUp() });
});

test('a dependency that is down is named, and the process is not ready', async () => {
  const dependencies = { postgres: 'up', temporal: 'down' } as const;
  const { status, body } = await ask('/health/ready', async () => dependencies);
  expect(status).toBe(503);
  expect(JSON.parse(body)).toEqual({ status: 'down', dependencies });
});

test('a check that fails itself says nothing but down', async () => {
  const { status, body } = await ask('/health/ready', () => Promise.reject(new Error('secret')));
  expect(status).toBe(503);
  expect(body).not.toContain('secret');
});

test('metrics are plain text; anything else is not there, and nothing can be written', async () => {
  expect(await ask('/metrics?x=1', allUp)).toEqual({ status: 200, body: 'up 1\n' });
  await server?.close();
  expect((await ask('/other', allUp)).status).toBe(404);
  await server?.close();
  expect((await ask('/metrics', allUp, { method: 'POST' })).status).toBe(405);
});

test('a port that is taken is an error, not a silent loss', async () => {
  server = await serveInternal({ port: 0, ready: allUp, metrics: async () => '' });
  const again = serveInternal({ port: server.port, ready: allUp, metrics: async () => '' });
  await expect(again).rejects.toThrow('EADDRINUSE');
});
