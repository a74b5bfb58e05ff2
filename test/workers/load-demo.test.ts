// The demo company's people: one of each role, able to sign in with the printed password, and marked.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkPeople } from '../../api/boot-checks.ts';
import { openEnvelope } from '../../db/envelope.ts';
import { hasDemoStaff, listStaff } from '../../db/queries/people.ts';
import { listExpiries, upgradesOf } from '../../db/queries/vehicle-records.ts';
import { ROLES } from '../../domain/people.ts';
import { vinFault, vinWarning } from '../../domain/vin.ts';
import { localStore } from '../../storage/local-store.ts';
import { DEMO_USERS, demoCode, needsDemoCode } from '../../workers/demo-users.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { freshAddress, hire, testSignIn } from '../support/staff.ts';

const loader = fileURLToPath(new URL('../../workers/load-demo.ts', import.meta.url));
const objects = join(tmpdir(), `forecourt-demo-${process.pid}`);
afterAll(() => rm(objects, { recursive: true, force: true }));
const DATA_KEYS = `demo:${randomBytes(32).toString('base64')}`;

async function load(database: TestDatabase, env: Readonly<Record<string, string>> = {}) {
  const { stdout } = await promisify(execFile)(process.execPath, [loader], {
    env: {
      ...process.env,
      DATABASE_URL: database.url,
      DATA_KEYS,
      OBJECT_STORE_DIR: objects,
      ...env,
    },
  });
  return stdout;
}

describe('the demo company', () => {
  const password = 'printed-once-1234';
  let t: TestDatabase;
  let printed: string;
  beforeAll(async () => {
    t = await testDatabase();
    printed = await load(t, { DEMO_PASSWORD: password });
  });

  test('has one user of each role, all of them printed and marked', async () => {
    const { rows } = await listStaff(t.db, { limit: 50 });
    expect(rows.flatMap((row) => row.roles).sort()).toEqual([...ROLES].sort());
    expect(rows.every((row) => row.is_demo)).toBe(true);
    expect(await hasDemoStaff(t.db)).toBe(true);
    for (const { userName, role } of DEMO_USERS) {
      expect(printed).toMatch(new RegExp(`^  ${userName} +${role} `, 'm'));
    }
    expect(printed).toContain(password);
  });

  test.each(DEMO_USERS)('lets $userName sign in as $role', async (user) => {
    const signIn = testSignIn(t.db, { envelope: openEnvelope(DATA_KEYS) });
    const { userName } = user;
    const given = { userName, password, address: freshAddress() };
    const first = await signIn.passwordStep(given);
    if (first.outcome !== 'ok') throw new Error('refused');
    expect(first.next).toBe(needsDemoCode(user) ? 'totp' : 'done');
    if (first.next === 'done') return;
    const code = demoCode(password, userName, new Date().toISOString());
    expect(await signIn.totpStep({ staffId: first.staffId, code })).toEqual({ outcome: 'ok' });
  });

  test('has vehicles with sound VINs, owners, a ladder, and a paper that expires soon', async () => {
    const { rows } = await sql<{ vin: string; ownership: string }>`select vin, ownership
      from vehicles.vehicle`.execute(t.owner);
    expect(rows).toHaveLength(72);
    expect(rows.filter(({ vin }) => vinFault(vin) !== null || vinWarning(vin) !== null)).toEqual(
      [],
    );
    expect(new Set(rows.map(({ ownership }) => ownership))).toEqual(new Set(['owned', 'leased']));
    expect(await upgradesOf(t.db, 'CDMR')).toEqual(['IDAH', 'SFAR']);
    const before = new Date(Date.now() + 60 * 86_400_000).toISOString();
    const due = await listExpiries(t.db, 'system:test', { before, limit: 50 });
    expect(due.rows.map(({ kind }) => kind)).toEqual(Array(12).fill('insurance'));
    const [paper] = (
      await sql<{ sha256: string }>`select sha256 from vehicles.document limit 1`.execute(t.owner)
    ).rows;
    expect(Buffer.from(await localStore(objects).get(paper?.sha256 ?? '')).subarray(0, 5)).toEqual(
      Buffer.from('%PDF-'),
    );
  });

  test('has what tolls and fines are charged by', async () => {
    const { rows } = await sql`select entity_id, currency from rentals.violation_terms`.execute(
      t.owner,
    );
    expect(rows).toEqual([{ entity_id: 'FC-AT', currency: 'EUR' }]);
  });

  test('keeps a production API from starting, until its people have left', async () => {
    const starting = (NODE_ENV: string) =>
      checkPeople({ NODE_ENV }, () => hasDemoStaff(t.db)).then(() => 'starts', String);
    expect(await starting('production')).toContain('demo people must have left');
    expect(await starting('development')).toBe('starts');
    await sql`update people.staff set status = 'left'`.execute(t.owner);
    expect(await starting('production')).toBe('starts');
    await sql`update people.staff set status = 'active'`.execute(t.owner);
    const unreachable = () => Promise.reject(new Error('down'));
    await expect(checkPeople({ NODE_ENV: 'production' }, unreachable)).rejects.toThrow('down');
  });

  test('is loaded once; the password is printed while it is still theirs', async () => {
    expect(await load(t, { DEMO_PASSWORD: password })).toContain(password);
    expect(await load(t, { DEMO_PASSWORD: 'another-password' })).not.toContain('Demo users');
    expect((await listStaff(t.db, { limit: 50 })).rows.length).toBe(ROLES.length);
  });
});

test('a password is drawn when none is given', async () => {
  const t = await testDatabase();
  const [printed, again] = [await load(t), await load(t)];
  expect(printed).toMatch(/^Demo users, all with the password [a-z2-7]{4}(-[a-z2-7]{4}){3}$/m);
  expect(again).not.toContain('Demo users');
});

test('production gets no demo people, nor does a company with real ones', async () => {
  const t = await testDatabase();
  expect(await load(t, { NODE_ENV: 'production' })).not.toContain('Demo users');
  expect(await hasDemoStaff(t.db)).toBe(false);
  await hire(t.db);
  expect(await load(t)).not.toContain('Demo users');
  expect(await hasDemoStaff(t.db)).toBe(false);
});
