// The Web UI's way to readable payloads: sealed and opened over HTTP, for one origin.
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createPayloadCodec } from '../../temporal-config/payload-codec.ts';
import { createCodecApp } from '../../workers/codec-server.ts';

const UI = 'http://localhost:8233';
const app = createCodecApp(createPayloadCodec([{ id: 'k1', key: randomBytes(32) }]), UI);
const base64 = (text: string) => Buffer.from(text).toString('base64');
const PLAIN = { metadata: { encoding: base64('json/plain') }, data: base64('"planted"') };

type Body = { readonly payloads: readonly (typeof PLAIN)[] };

async function post(path: string, body: unknown, origin = UI) {
  const headers = { 'content-type': 'application/json', 'x-namespace': 'forecourt', origin };
  return app.request(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

test('what it encodes it decodes, and the encoded form is unreadable', async () => {
  const encoded = (await (await post('/encode', { payloads: [PLAIN] })).json()) as Body;
  expect(encoded.payloads[0]?.metadata.encoding).toBe(base64('binary/encrypted'));
  expect(JSON.stringify(encoded)).not.toContain(PLAIN.data);
  expect(await (await post('/decode', encoded)).json()).toEqual({ payloads: [PLAIN] });
});

test('a payload that does not open is a refusal with its reason', async () => {
  const encoded = (await (await post('/encode', { payloads: [PLAIN] })).json()) as Body;
  const changed = { payloads: [{ ...encoded.payloads[0], data: base64('x'.repeat(60)) }] };
  const answer = await post('/decode', changed);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toEqual({ message: expect.stringContaining('it was changed') });
});

test('only the Web UI may read the answer in a browser', async () => {
  const own = await post('/encode', { payloads: [] });
  expect(own.headers.get('access-control-allow-origin')).toBe(UI);
  const foreign = await post('/encode', { payloads: [] }, 'http://evil.example');
  expect(foreign.headers.get('access-control-allow-origin')).not.toBe('http://evil.example');
});

test('it says that it is ready', async () => {
  expect((await app.request('/health/ready')).status).toBe(200);
});
