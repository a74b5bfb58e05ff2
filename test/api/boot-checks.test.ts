// In production no process starts with secrets that are missing, short, or known to everybody.
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { checkBoot } from '../../api/boot-checks.ts';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const sound = {
  NODE_ENV: 'production',
  PAYLOAD_KEYS: key('k1'),
  DATA_KEYS: `${key('d2')},${key('d1')}`,
  AUTH_COOKIE_KEYS: randomBytes(32).toString('base64'),
  PUBLIC_URL: 'https://rental.invalid',
  OBJECT_STORE_DIR: '/var/lib/rental',
  DATABASE_URL: `postgres://app:${randomBytes(18).toString('hex')}@127.0.0.1/rental`,
};
const zeros = Buffer.alloc(32).toString('base64');

test('with secrets of its own a process starts', () => {
  for (let round = 0; round < 200; round += 1) {
    const drawn = { DATA_KEYS: key('d1'), AUTH_COOKIE_KEYS: randomBytes(32).toString('hex') };
    expect(() => checkBoot({ ...sound, ...drawn })).not.toThrow();
  }
  expect(() => checkBoot({ ...sound, DATABASE_URL: 'postgres://app@db/rental' })).not.toThrow();
});

test('outside production nothing is asked', () => {
  expect(() => checkBoot({ NODE_ENV: 'development' })).not.toThrow();
  expect(() => checkBoot({})).not.toThrow();
});

describe('in production a process does not start with', () => {
  test.each<[string, string | undefined]>([
    ['PAYLOAD_KEYS', undefined],
    ['PAYLOAD_KEYS', 'k1:c2hvcnQ='],
    ['PAYLOAD_KEYS', `k1:${zeros}`],
    ['DATA_KEYS', undefined],
    ['DATA_KEYS', ''],
    ['DATA_KEYS', 'd1:c2hvcnQ='],
    ['DATA_KEYS', `d1:${zeros}`],
    ['DATA_KEYS', `${key('d2')},d1:${zeros}`],
    ['AUTH_COOKIE_KEYS', undefined],
    ['AUTH_COOKIE_KEYS', 'k7Jq2mZx9RtB4wLs'],
    ['AUTH_COOKIE_KEYS', 'change-me-change-me-change-me-change-me'],
    ['AUTH_COOKIE_KEYS', 'demo-8d1f0c72b3a94e65f7c1d20983be45aa'],
    ['AUTH_COOKIE_KEYS', 'a'.repeat(64)],
    ['AUTH_COOKIE_KEYS', `${randomBytes(32).toString('hex')},short`],
    ['OBJECT_STORE_DIR', undefined],
    ['PUBLIC_URL', undefined],
    ['PUBLIC_URL', 'http://rental.invalid'],
    ['DATABASE_URL', undefined],
    ['DATABASE_URL', 'postgres://app:forecourt@127.0.0.1/rental'],
    ['DATABASE_URL', 'postgres://app:k7Jq2mZx@127.0.0.1/rental'],
    ['DEMO_PASSWORD', 'anything'],
  ])('%s = %s', (name, value) => {
    const start = () => checkBoot({ ...sound, [name]: value });
    expect(start).toThrow(new RegExp(`does not start: ${name}: [^;]+\\.$`));
    if (value !== undefined && value.length > 10) expect(start).not.toThrow(value);
  });

  test('several faults at once: all are named', () => {
    expect(() => checkBoot({ NODE_ENV: 'production' })).toThrow(
      /PAYLOAD_KEYS.*DATA_KEYS.*AUTH_COOKIE_KEYS.*PUBLIC_URL.*DATABASE_URL/,
    );
  });
});
