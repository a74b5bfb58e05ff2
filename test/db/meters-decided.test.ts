// Readings that need a person: queued, accepted, voided, and the counter that was replaced.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { decideReading, replaceOdometer, voidReading } from '../../db/commands/meters.ts';
import { listReviews } from '../../db/queries/meters.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT } from '../support/fleet.ts';
import { can, dash, hoursIn, onVehicle, plantVehicle, story, take } from '../support/meters.ts';

let t: TestDatabase;
let v: string;
beforeAll(async () => {
  t = await testDatabase();
});
const vehicle = async () => {
  v = await plantVehicle(t);
  return v;
};
const waiting = async () =>
  (await listReviews(t.db, AGENT, { vehicleId: v, limit: 50 })).rows.map((row) => ({
    value: Number(row.value),
    reason: row.review_reason,
  }));

describe('what nobody would believe', () => {
  test('is stored, waits for a person and does not move the vehicle', async () => {
    await vehicle();
    await take(t, dash(v, 24, 1_100), dash(v, 48, 1_500));
    await take(t, dash(v, 49, 1_751));
    await take(t, dash(v, 60, 1_400));
    expect(await waiting()).toEqual([
      { value: 1_751, reason: 'too-fast' },
      { value: 1_400, reason: 'backwards' },
    ]);
    expect(await onVehicle(t.owner, v)).toMatchObject({ km: 1_500 });
  });

  test('a late reading must fit between its neighbours', async () => {
    await vehicle();
    await take(t, dash(v, 24, 1_100), dash(v, 72, 1_500));
    await take(t, dash(v, 48, 1_503), dash(v, 47, 1_097));
    await take(t, dash(v, 50, 1_300));
    expect(await story(t.owner, v)).toEqual([
      'dash 24h 1100 accepted',
      'dash 47h 1097 queued',
      'dash 48h 1503 queued',
      'dash 50h 1300 accepted',
      'dash 72h 1500 accepted',
    ]);
  });

  test('less than the vehicle was registered with, once it was', async () => {
    await vehicle();
    const soon = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
    await take(t, dash(v, 0, 900, { takenAt: soon(1) }));
    await take(t, dash(v, 0, 999, { takenAt: soon(2) }));
    expect(await waiting()).toEqual([{ value: 900, reason: 'backwards' }]);
    expect(await onVehicle(t.owner, v)).toMatchObject({ km: 999 });
  });

  test('a person accepts it, unless the counter would go back then', async () => {
    await vehicle();
    const [fast, back] = [dash(v, 49, 1_900), dash(v, 60, 1_400)];
    await take(t, dash(v, 48, 1_500), fast, back);
    const accept = { decision: 'accept', reason: 'The ferry’s log says so' } as const;
    await expect(decideReading(t.db, AGENT, back.id, accept)).rejects.toMatchObject({
      code: 'odometer-rollback',
    });
    const decided = await decideReading(t.db, AGENT, fast.id, accept);
    expect(decided).toMatchObject({ state: 'accepted', review_decision: 'accept' });
    expect(await decideReading(t.db, AGENT, fast.id, accept)).toEqual(decided);
    expect(await onVehicle(t.owner, v)).toMatchObject({ km: 1_900 });
    const { rows } = await sql<{ n: number }>`select count(*) as n from people.audit_entry
      where action = 'reading.decide' and subject_id = ${v}`.execute(t.owner);
    expect(rows[0]?.n).toBe(1);
  });

  test('of a counter that began anew, a new segment accepts it and all after it', async () => {
    await vehicle();
    const first = can(v, 48, 3);
    await take(t, can(v, 24, 90_000), first, can(v, 49, 60), can(v, 50, 110));
    expect(await waiting()).toHaveLength(3);
    const reason = 'New control unit';
    await decideReading(t.db, AGENT, first.id, { decision: 'new-segment', reason });
    expect(await waiting()).toEqual([]);
    await take(t, can(v, 51, 150), can(v, 23, 89_990));
    expect(await story(t.owner, v)).toEqual([
      'can 23h 89990 accepted',
      'can 24h 90000 accepted',
      'can 48h 3 accepted',
      'can 49h 60 accepted',
      'can 50h 110 accepted',
      'can 51h 150 accepted',
    ]);
  });
});

describe('a void reading', () => {
  test('stays, counts for nothing, and what waited because of it is accepted', async () => {
    await vehicle();
    const wrong = dash(v, 30, 9_999);
    await take(t, wrong);
    await take(t, dash(v, 24, 1_100), dash(v, 48, 1_500));
    expect(await onVehicle(t.owner, v)).toMatchObject({ km: 9_999 });
    const row = await voidReading(t.db, AGENT, wrong.id, 'Typed wrong');
    expect(row).toMatchObject({ state: 'void', void_reason: 'Typed wrong' });
    expect(await story(t.owner, v)).toEqual([
      'dash 24h 1100 accepted',
      'dash 30h 9999 void',
      'dash 48h 1500 accepted',
    ]);
    expect(await onVehicle(t.owner, v)).toMatchObject({ km: 1_500 });
    expect(await waiting()).toEqual([]);
    await expect(voidReading(t.db, AGENT, wrong.id, 'again')).rejects.toMatchObject({
      code: 'invalid-state',
    });
    expect((await take(t, { ...wrong, id: uuidv7() })).stored).toBe(0);
  });

  test('of the only one gives back what the vehicle was registered with', async () => {
    await vehicle();
    const only = dash(v, 30, 9_999);
    await take(t, only);
    await voidReading(t.db, AGENT, only.id, 'Another car');
    expect(await onVehicle(t.owner, v)).toMatchObject({ km: 1_000 });
  });
});

describe('a replaced odometer', () => {
  const replaced = (over: object = {}) =>
    replaceOdometer(t.db, AGENT, {
      id: uuidv7(),
      vehicleId: v,
      replacedAt: hoursIn(240),
      oldKm: 3_400,
      newKm: 7,
      reason: 'Broken display',
      ...over,
    });

  test('goes on where the old one ended, and the average with it', async () => {
    await vehicle();
    await take(t, dash(v, 0, 1_000), can(v, 230, 3_390), dash(v, 228, 3_360));
    const row = await replaced();
    expect(row).toMatchObject({ segment: 2, origin: 'replacement', state: 'accepted' });
    await take(t, dash(v, 480, 1_607), can(v, 241, 20), dash(v, 120, 2_000));
    expect(await story(t.owner, v)).not.toContainEqual(expect.stringContaining('queued'));
    expect(await onVehicle(t.owner, v)).toMatchObject({ km: 1_607, average: 200 });
  });

  test('accepts what was read of it before anybody said so', async () => {
    await vehicle();
    await take(t, dash(v, 228, 3_360), dash(v, 250, 30), dash(v, 260, 90));
    expect(await waiting()).toHaveLength(2);
    await replaced();
    expect(await waiting()).toEqual([]);
    expect(await onVehicle(t.owner, v)).toMatchObject({ km: 90 });
  });

  test('cannot have ended below what it read; a repeat is the same one', async () => {
    await vehicle();
    await take(t, dash(v, 228, 3_500));
    await expect(replaced()).rejects.toMatchObject({ code: 'odometer-rollback' });
    const id = uuidv7();
    const once = await replaced({ id, oldKm: 3_500 });
    expect(await replaced({ id, oldKm: 3_500 })).toEqual(once);
  });
});

describe('what must never happen', () => {
  const asDomain = (statement: ReturnType<typeof sql>) =>
    transact(t.db, 'vehicles_rw', AGENT, (tx) => statement.execute(tx));

  test('a reading rewritten, deleted or brought back', async () => {
    await vehicle();
    const one = dash(v, 24, 1_100);
    await take(t, one);
    await expect(
      asDomain(sql`update vehicles.reading set value = 5 where id = ${one.id}`),
    ).rejects.toMatchObject({ constraint: 'reading_is_kept' });
    await expect(
      sql`delete from vehicles.reading where id = ${one.id}`.execute(t.owner),
    ).rejects.toMatchObject({ code: '23001' });
    await voidReading(t.db, AGENT, one.id, 'Typed wrong');
    await expect(
      asDomain(sql`update vehicles.reading set state = 'accepted', void_at = null, void_by = null,
        void_reason = null where id = ${one.id}`),
    ).rejects.toMatchObject({ constraint: 'reading_is_kept' });
  });

  test('an accepted counter that goes back, in whatever order it is written', async () => {
    await vehicle();
    await take(t, dash(v, 24, 1_100), dash(v, 72, 1_500));
    const plant = (hours: number, km: number) =>
      asDomain(sql`insert into vehicles.reading
        (id, meter_id, kind, taken_at, value, total, origin, state)
        select uuidv7(), id, kind, ${hoursIn(hours)}, ${km}, ${km}, 'http', 'accepted'
        from vehicles.meter where vehicle_id = ${v}`);
    await expect(plant(80, 1_400)).rejects.toMatchObject({ constraint: 'reading_never_goes_back' });
    await expect(plant(48, 1_600)).rejects.toMatchObject({ constraint: 'reading_never_goes_back' });
    await plant(48, 1_300);
    const late = dash(v, 60, 1_700);
    await take(t, late);
    await expect(
      asDomain(sql`update vehicles.reading set state = 'accepted' where id = ${late.id}`),
    ).rejects.toMatchObject({ constraint: 'reading_never_goes_back' });
  });

  test('two accepted that cannot follow each other, sent at once', async () => {
    await vehicle();
    await take(t, can(v, 0, 100));
    const jumps = Array.from({ length: 6 }, (_, n) => can(v, 1 + n / 60, 110 + 30 * n));
    await Promise.all(jumps.map((one) => take(t, one)));
    const accepted = (await story(t.owner, v)).filter((line) => line.endsWith('accepted'));
    expect(accepted).toHaveLength(2);
  });

  test('a reading of no meter', async () => {
    await expect(
      asDomain(sql`insert into vehicles.reading
        (id, meter_id, kind, taken_at, value, total, origin, state)
        values (uuidv7(), 0, 'fuel', now(), 1, 1, 'http', 'accepted')`),
    ).rejects.toMatchObject({ code: '23503', constraint: 'reading_meter' });
  });
});
