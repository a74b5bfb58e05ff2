// What Temporal stores is sealed: by which key, against which changes, and what old keys still open.
import { randomBytes } from 'node:crypto';
import { ApplicationFailure, defaultPayloadConverter, type Payload } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { failureConverter } from '../../temporal-config/failure-converter.ts';
import { createPayloadCodec, parsePayloadKeys } from '../../temporal-config/payload-codec.ts';

const K1 = { id: 'k1', key: randomBytes(32) };
const K2 = { id: 'k2', key: randomBytes(32) };
const SECRET = { rentalId: 'r-1', note: 'planted' };
const plain = defaultPayloadConverter.toPayload(SECRET);

async function seal(keys = [K1]): Promise<Payload> {
  const [sealed] = await createPayloadCodec(keys).encode([plain]);
  if (sealed === undefined) throw new Error('nothing was sealed');
  return sealed;
}

async function open(payload: Payload, keys = [K1]): Promise<unknown> {
  const [opened] = await createPayloadCodec(keys).decode([payload]);
  return opened === undefined ? undefined : defaultPayloadConverter.fromPayload(opened);
}

describe('a payload', () => {
  test('comes back as it was, and says nothing in between but the key and the cipher', async () => {
    const sealed = await seal();
    expect(await open(sealed)).toEqual(SECRET);
    expect(Buffer.from(sealed.data ?? []).includes('planted')).toBe(false);
    const metadata = Object.entries(sealed.metadata ?? {}).map(([k, v]) => [
      k,
      `${Buffer.from(v)}`,
    ]);
    expect(Object.fromEntries(metadata)).toEqual({
      encoding: 'binary/encrypted',
      'encryption-cipher': 'AES-256-GCM',
      'encryption-key-id': 'k1',
    });
  });

  test('is sealed differently each time', async () => {
    const [one, two] = [await seal(), await seal()];
    expect(Buffer.from(one.data ?? [])).not.toEqual(Buffer.from(two.data ?? []));
  });

  test('is sealed by the first key and opened by any that is kept', async () => {
    const old = await seal([K1]);
    const rotated = [K2, K1];
    expect(await open(old, rotated)).toEqual(SECRET);
    const fresh = await seal(rotated);
    expect(await open(fresh, [K2])).toEqual(SECRET);
  });

  test('of a key that is not there is refused by the name of the key', async () => {
    await expect(open(await seal([K2]), [K1])).rejects.toThrow("key 'k2', which is not configured");
  });

  test('does not open with another key of the same name', async () => {
    const other = [{ id: 'k1', key: randomBytes(32) }];
    await expect(open(await seal(), other)).rejects.toThrow('it was changed');
  });

  test.each([0, 12, 40, -1])('does not open when its byte %i was changed', async (position) => {
    const sealed = await seal();
    const data = Buffer.from(sealed.data ?? []);
    const at = position < 0 ? data.length + position : position;
    data[at] = (data[at] ?? 0) ^ 1;
    await expect(open({ ...sealed, data })).rejects.toThrow('it was changed');
  });

  test('does not open under the id of another key', async () => {
    const sealed = await seal();
    const metadata = { ...sealed.metadata, 'encryption-key-id': Buffer.from('k9') };
    const same = { id: 'k9', key: K1.key };
    await expect(open({ ...sealed, metadata }, [same])).rejects.toThrow('it was changed');
  });

  test('that is cut short is refused', async () => {
    const sealed = await seal();
    await expect(open({ ...sealed, data: Buffer.alloc(20) })).rejects.toThrow('cut short');
  });

  test('that was never sealed passes: the server makes some itself', async () => {
    expect(await open(plain)).toEqual(SECRET);
  });
});

test('messages and stack traces of failures are part of what is sealed', () => {
  const failure = ApplicationFailure.nonRetryable('planted in a message', 'not-found');
  const converted = failureConverter.errorToFailure(failure, defaultPayloadConverter);
  expect(JSON.stringify({ ...converted, encodedAttributes: null })).not.toContain('planted');
  expect(converted.encodedAttributes).toBeTruthy();
});

describe('PAYLOAD_KEYS', () => {
  const key = randomBytes(32).toString('base64');

  test('lists keys, newest first', () => {
    const keys = parsePayloadKeys(`k2:${key}, k1:${K1.key.toString('base64')}`);
    expect(keys.map(({ id }) => id)).toEqual(['k2', 'k1']);
    expect(keys[1]?.key).toEqual(K1.key);
  });

  test.each([
    ['nothing', undefined],
    ['an empty text', ' '],
    ['a key without id', key],
    ['a short key', 'k1:c2hvcnQ='],
    ['a third part', `k1:${key}:x`],
    ['one id twice', `k1:${key},k1:${key}`],
  ])('refuses %s without telling the key', (_, text) => {
    expect(() => parsePayloadKeys(text)).toThrow(/^PAYLOAD_KEYS/);
    expect(() => parsePayloadKeys(text)).not.toThrow(key);
  });
});
