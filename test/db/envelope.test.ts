// Encryption at rest: a sealed value opens in its own place only, with the key that it names.
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openEnvelope } from '../../db/envelope.ts';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const [first, second] = [key('d1'), key('d2')];
const at = { table: 'people.totp', column: 'secret', id: 'staff:1' };

describe('a sealed value', () => {
  const envelope = openEnvelope(first);

  test('opens where it was sealed, text and bytes alike', () => {
    expect(envelope.open(envelope.seal('Grüße', at), at).toString()).toBe('Grüße');
    const bytes = randomBytes(40);
    expect(envelope.open(envelope.seal(bytes, at), at)).toEqual(bytes);
    expect(envelope.open(envelope.seal('', at), at)).toHaveLength(0);
  });

  test('does not show what it is, and looks different each time', () => {
    const sealed = Array.from({ length: 1_000 }, () => envelope.seal('D1234567', at).bytes);
    expect(sealed.some((bytes) => bytes.includes('D1234567'))).toBe(false);
    expect(new Set(sealed.map((bytes) => bytes.toString('hex'))).size).toBe(1_000);
    expect(new Set(sealed.map((bytes) => bytes.subarray(0, 12).toString('hex'))).size).toBe(1_000);
  });

  test.each([
    ['row', { ...at, id: 'staff:2' }],
    ['column', { ...at, column: 'backup' }],
    ['table', { ...at, table: 'people.password' }],
  ])('moved to another %s does not open', (_what, elsewhere) => {
    const sealed = envelope.seal('secret', at);
    expect(() => envelope.open(sealed, elsewhere)).toThrow(/changed or moved/);
  });

  test('with any byte changed, or cut short, does not open', () => {
    const { keyId, bytes } = envelope.seal('secret', at);
    for (const index of bytes.keys()) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(() => envelope.open({ keyId, bytes: changed }, at)).toThrow(/changed or moved/);
    }
    for (const length of [0, 11, 27, bytes.length - 1]) {
      const cut = bytes.subarray(0, length);
      expect(() => envelope.open({ keyId, bytes: cut }, at)).toThrow(/changed or moved/);
    }
  });
});

describe('keys', () => {
  test('change without a gap: the new one seals, the old one still opens, reseal moves over', () => {
    const old = openEnvelope(first).seal('secret', at);
    const both = openEnvelope(`${second},${first}`);
    expect(both.open(old, at).toString()).toBe('secret');
    const moved = both.reseal(old, at);
    expect(moved?.keyId).toBe('d2');
    expect(moved && both.reseal(moved, at)).toBeUndefined();
    expect(moved && openEnvelope(second).open(moved, at).toString()).toBe('secret');
  });

  test('that are not configured are named; the key of another envelope opens nothing', () => {
    const sealed = openEnvelope(first).seal('secret', at);
    expect(() => openEnvelope(second).open(sealed, at)).toThrow(/key 'd1'.*DATA_KEYS/);
    expect(() => openEnvelope(key('d1')).open(sealed, at)).toThrow(/changed or moved/);
  });

  test.each([
    '',
    'd1',
    'd1:c2hvcnQ=',
    `d1:${randomBytes(31).toString('base64')}`,
    `d1:${randomBytes(33).toString('base64')}`,
    `:${randomBytes(32).toString('base64')}`,
    `${first},d1:${randomBytes(32).toString('base64')}`,
    `${first},`,
  ])('of a wrong form are refused, without being repeated: entry %#', (text) => {
    expect(() => openEnvelope(text)).toThrow(/^DATA_KEYS/);
    const secret = text.split(':')[1];
    if (secret) expect(() => openEnvelope(text)).not.toThrow(secret);
  });
});
