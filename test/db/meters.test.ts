// Readings of meters: what their order and repeats do to what is stored and to the vehicle.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { decideReading, recordReading, voidReading } from '../../db/commands/meters.ts';
import { forgetOldReadings } from '../../db/commands/reading-upkeep.ts';
import { metersOf } from '../../db/queries/meters.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT } from '../support/fleet.ts';
import { can, dash, dtc, onVehicle, plantVehicle, story, take } from '../support/meters.ts';

let t: TestDatabase;
let v: string;
beforeAll(async () => {
  t = await testDatabase();
});
const vehicle = async () => {
  v = await plantVehicle(t);
  return v;
};

describe('readings', () => {
  test('that come late take their place; the newest of the dash is the vehicle’s', async () => {
    await vehicle();
    await take(t, dash(v, 24, 1_100));
    await take(t, dash(v, 240, 3_100), dash(v, 48, 1_500));
    await take(t, dash(v, 36, 1_300));
    expect(await story(t.owner, v)).toEqual([
      'dash 24h 1100 accepted',
      'dash 36h 1300 accepted',
      'dash 48h 1500 accepted',
      'dash 240h 3100 accepted',
    ]);
    expect(await onVehicle(t.owner, v)).toMatchObject({ km: 3_100 });
  });

  test('that come twice, by their id or by what they say, have no effect', async () => {
    await vehicle();
    const first = can(v, 1, 500, { externalId: 'a' });
    expect((await take(t, first, { ...first, id: uuidv7() })).stored).toBe(1);
    const sameId = can(v, 2, 502, { externalId: 'a' });
    const sameWords = can(v, 1, 500, { externalId: 'b' });
    expect((await take(t, sameId, sameWords)).stored).toBe(0);
    expect((await take(t, can(v, 1, 500, { deviceId: 'dev-2' }))).stored).toBe(1);
    expect(await story(t.owner, v)).toHaveLength(2);
  });

  test('of a device are its own odometer’s, with an offset to the dash', async () => {
    await vehicle();
    await take(t, can(v, 1, 20), can(v, 24, 520), dash(v, 24, 1_500), can(v, 48, 600));
    expect(await story(t.owner, v)).not.toContainEqual(expect.stringContaining('queued'));
    expect(await onVehicle(t.owner, v)).toMatchObject({ km: 1_500 });
    const { meters } = await metersOf(t.db, AGENT, v);
    expect(meters.map((m) => [m.source, Number(m.last_value), m.offset_km])).toEqual([
      ['dash', 1_500, null],
      ['can', 600, '980.000'],
    ]);
  });

  test('of fuel follow the dash alone', async () => {
    await vehicle();
    await take(t, dash(v, 5, 3, { kind: 'fuel' }), can(v, 6, 1, { kind: 'fuel' }));
    await take(t, dash(v, 4, 7, { kind: 'fuel' }));
    expect(await onVehicle(t.owner, v)).toMatchObject({ fuel: 3, km: 1_000 });
  });

  test('of an unknown vehicle are told apart from the others', async () => {
    await vehicle();
    const { stored, unknown } = await take(t, dash(v, 1, 5), dash(uuidv7(), 1, 5), dash(v, 2, 6));
    expect([stored, unknown]).toEqual([2, [1]]);
  });

  test('old ones of devices go, but the newest of a segment, and what was decided on', async () => {
    await vehicle();
    const hours = (days: number) => -24 * (days - 30);
    const old = can(v, hours(420), 500, { externalId: 'gone' });
    const newOne = { decision: 'new-segment', reason: 'Another device' } as const;
    const replaced = can(v, hours(418), 3);
    await take(t, dash(v, hours(450), 1_100), dash(v, hours(440), 1_200));
    await take(t, old, can(v, hours(419), 510));
    await take(t, replaced, can(v, hours(417), 900_000));
    await decideReading(t.db, AGENT, replaced.id, newOne);
    await take(t, can(v, hours(410), 5), can(v, hours(120), 9));
    await take(t, can(v, hours(420), 1, { kind: 'fuel' }), can(v, hours(419), 2, { kind: 'fuel' }));
    await take(t, dtc(v, hours(420), 'P0420', true), dtc(v, hours(419), 'P0171', true));
    expect(await forgetOldReadings(t.db, 400)).toBe(3);
    const h = (days: number) => `${hours(days)}h`;
    expect((await story(t.owner, v)).toSorted()).toEqual(
      [
        `dash ${h(450)} 1100 accepted`,
        `dash ${h(440)} 1200 accepted`,
        `can ${h(419)} 510 accepted`,
        `can ${h(418)} 3 accepted`,
        `can ${h(417)} 900000 queued`,
        `can ${h(120)} 9 accepted`,
        `can ${h(419)} fuel 2 accepted`,
        `can ${h(420)} dtc P0420 1 accepted`,
        `can ${h(419)} dtc P0171 1 accepted`,
      ].toSorted(),
    );
    expect(await forgetOldReadings(t.db, 400)).toBe(0);
    await take(t, can(v, hours(40), 20), can(v, hours(30), 21));
    await expect(forgetOldReadings(t.db, 20)).rejects.toMatchObject({ code: '23001' });
  });
});

describe('the average', () => {
  test('needs two readings 7 days apart, and takes the best source that has them', async () => {
    await vehicle();
    await take(t, can(v, 0, 0), can(v, 24 * 10, 1_500), dash(v, 24 * 6, 1_900));
    expect(await onVehicle(t.owner, v)).toMatchObject({ average: 150 });
    await take(t, dash(v, 24 * 12.9, 2_990));
    expect(await onVehicle(t.owner, v)).toMatchObject({ average: 150 });
    await take(t, dash(v, 24 * 13, 2_600), dash(v, 24 * 14, 2_700));
    expect(await onVehicle(t.owner, v)).toMatchObject({ average: 150 });
    await take(t, dash(v, 24 * 16, 3_100));
    expect(await onVehicle(t.owner, v)).toMatchObject({ average: 120 });
  });

  test('forgets what is older than 90 days, and what is void', async () => {
    await vehicle();
    const last = dash(v, 24 * 20, 5_000);
    await take(t, dash(v, -24 * 80, 0), dash(v, 0, 2_000), dash(v, 24 * 10, 2_500), last);
    expect(await onVehicle(t.owner, v)).toMatchObject({ average: 150 });
    await voidReading(t.db, AGENT, last.id, 'Another car');
    expect(await onVehicle(t.owner, v)).toMatchObject({ average: 50 });
  });
});

describe('a trouble code', () => {
  const on = async () => (await metersOf(t.db, AGENT, v)).dtcs.map((row) => row.code);
  const raised = async () => {
    const { rows } = await sql<{ sequence: string; code: string }>`select
        event::jsonb ->> 'sequence' as sequence, event::jsonb -> 'data' ->> 'code' as code
      from events.outbox where type = 'forecourt.vehicle.dtc-raised.v1'
        and event::jsonb -> 'data' ->> 'vehicleId' = ${v} order by id`.execute(t.owner);
    return rows.map((row) => `${row.code}/${row.sequence}`);
  };

  test('is on as its newest reading says, and told when it comes on', async () => {
    await vehicle();
    await take(t, dtc(v, 1, 'P0420', true), dtc(v, 2, 'P0420', true), dtc(v, 2, 'C1234', false));
    expect([await on(), await raised()]).toEqual([['P0420'], ['P0420/1']]);
    await take(t, dtc(v, 4, 'P0420', false));
    await take(t, dtc(v, 3, 'P0420', true));
    expect([await on(), await raised()]).toEqual([[], ['P0420/1']]);
    const again = dtc(v, 5, 'P0420', true);
    await take(t, again);
    expect([await on(), await raised()]).toEqual([['P0420'], ['P0420/1', 'P0420/2']]);
    await voidReading(t.db, AGENT, again.id, 'Another car');
    expect(await on()).toEqual([]);
  });

  test('that is none is refused by the database too', async () => {
    await vehicle();
    await expect(take(t, dtc(v, 1, 'X0420', true))).rejects.toMatchObject({ code: '23514' });
  });
});

test('one reading is told in the audit log; the same again is answered as it is', async () => {
  await vehicle();
  const one = dash(v, 24, 1_100);
  const row = await recordReading(t.db, AGENT, one);
  expect(await recordReading(t.db, AGENT, { ...one, id: uuidv7() })).toEqual(row);
  await expect(recordReading(t.db, AGENT, dash(uuidv7(), 1, 1))).rejects.toMatchObject({
    code: 'not-found',
  });
  const { rows } = await sql<{ after: { readonly readingId: string } }>`select after
    from people.audit_entry
    where action = 'reading.record' and subject_id = ${v}`.execute(t.owner);
  expect(rows.map((entry) => entry.after.readingId)).toEqual([one.id]);
});
