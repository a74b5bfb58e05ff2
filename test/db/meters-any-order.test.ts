// Whatever order readings come in, however often and in whatever batches: one state in the end.
import fc from 'fast-check';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { type NewReading, voidReading } from '../../db/commands/meters.ts';
import { metersOf } from '../../db/queries/meters.ts';
import { type MeterKind, misfit } from '../../domain/meter.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, plantFleet } from '../support/fleet.ts';
import { can, dash, dtc, hoursIn, onVehicle, story, take } from '../support/meters.ts';

const RUNS = 20;

let t: TestDatabase;
/** Each run takes its own. */
let vehicles: string[];
beforeAll(async () => {
  t = await testDatabase();
  vehicles = [];
  while (vehicles.length < 4 * RUNS) {
    vehicles.push(...(await plantFleet(t.db, { vehicles: 8 })).vehicleIds);
  }
}, 60_000);

type Said = (vehicleId: string) => NewReading;

/** A drive: steps of some hours at speeds that a car can have, read off several meters. */
const drive: fc.Arbitrary<readonly Said[]> = fc
  .array(
    fc.record({
      hours: fc.integer({ min: 1, max: 40 }),
      speed: fc.integer({ min: 0, max: 240 }),
      read: fc.constantFrom('dash', 'can', 'gps', 'fuel', 'hours', 'dtc'),
      on: fc.boolean(),
    }),
    { minLength: 2, maxLength: 14 },
  )
  .map((steps) => {
    let [at, km] = [0, 1_000];
    return steps.map(({ hours, speed, read, on }): Said => {
      at += hours;
      km += hours * speed;
      const [now, reads] = [at, km];
      const externalId = `e${now}`;
      switch (read) {
        case 'dash':
          return (v) => dash(v, now, reads);
        case 'fuel':
          return (v) => dash(v, now, reads % 9, { kind: 'fuel' });
        case 'hours':
          return (v) => can(v, now, now / 2, { kind: 'engine_hours', externalId });
        case 'dtc':
          return (v) => dtc(v, now, 'P0420', on, { externalId });
        default:
          return (v) => can(v, now, reads / 2, { source: read, externalId });
      }
    });
  });

/** The same readings in another order, some of them more than once, cut into batches. */
const arrivals = (said: readonly Said[]) =>
  fc.record({
    extra: fc.array(fc.nat(said.length - 1), { maxLength: 6 }),
    order: fc.array(fc.double({ noNaN: true }), { minLength: 20, maxLength: 20 }),
    size: fc.integer({ min: 1, max: 8 }),
  });

type Arrival = { readonly extra: number[]; readonly order: number[]; readonly size: number };

async function arrive(v: string, said: readonly Said[], { extra, order, size }: Arrival) {
  const all = [...said, ...extra.flatMap((n) => said[n] ?? [])]
    .map((one, n) => ({ one, place: order[n] ?? 0 }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ one }) => one(v));
  for (let n = 0; n < all.length; n += size) await take(t, ...all.slice(n, n + size));
}

async function state(v: string) {
  const { meters, dtcs } = await metersOf(t.db, AGENT, v);
  return { meters, dtcs, story: await story(t.owner, v), vehicle: await onVehicle(t.owner, v) };
}

test('a drive ends in one state', { timeout: 120_000 }, async () => {
  const runs = drive.chain((said) => fc.tuple(fc.constant(said), arrivals(said)));
  await fc.assert(
    fc.asyncProperty(runs, async ([said, arrival]) => {
      const [inOrder, shuffled] = [vehicles.pop() ?? '', vehicles.pop() ?? ''];
      await take(t, ...said.map((one) => one(inOrder)));
      await arrive(shuffled, said, arrival);
      const expected = await state(inOrder);
      expect(expected.story).not.toContainEqual(expect.stringContaining('queued'));
      expect(expected.story).toHaveLength(said.length);
      expect(await state(shuffled)).toEqual(expected);
    }),
    { numRuns: RUNS },
  );
});

test('what nobody would believe is kept, and void it is as if never read', {
  timeout: 120_000,
}, async () => {
  const wrong = fc.array(
    fc.record({ at: fc.integer({ min: 1, max: 300 }), km: fc.integer({ min: 0, max: 90_000 }) }),
    { minLength: 1, maxLength: 4 },
  );
  const runs = drive.chain((said) => fc.tuple(fc.constant(said), arrivals(said), wrong));
  await fc.assert(
    fc.asyncProperty(runs, async ([said, arrival, wrongs]) => {
      const [clean, dirty] = [vehicles.pop() ?? '', vehicles.pop() ?? ''];
      await arrive(clean, said, arrival);
      const ids = wrongs.map(() => uuidv7());
      // Off by a minute, so that none of them is one of the drive's own.
      const mistakes = wrongs.map(({ at, km }, n): Said => {
        return (v) => dash(v, at + (n + 1) / 60, km, { id: ids[n] ?? '' });
      });
      await arrive(dirty, [...mistakes, ...said], arrival);
      await expectBelievable(dirty);
      expect(await story(t.owner, dirty)).toHaveLength(said.length + wrongs.length);
      for (const id of ids) await voidReading(t.db, AGENT, id, 'Another car');
      const { story: told, ...rest } = await state(dirty);
      const { story: cleanly, ...expected } = await state(clean);
      expect(told.filter((line) => !line.endsWith('void'))).toEqual(cleanly);
      expect(rest).toEqual(expected);
    }),
    { numRuns: RUNS },
  );
});

/** Of every meter the accepted readings are ones that can follow each other. */
async function expectBelievable(v: string): Promise<void> {
  const { rows } = await sql<{
    meter: number;
    kind: MeterKind;
    takenAt: string;
    total: number;
  }>`select r.meter_id as meter, r.kind, r.taken_at as "takenAt", r.total::float as total
    from vehicles.reading r join vehicles.meter m on m.id = r.meter_id
    where m.vehicle_id = ${v} and r.state = 'accepted'
    order by r.meter_id, r.taken_at, r.total`.execute(t.owner);
  const pairs = rows.slice(1).map((later, n) => ({ earlier: rows[n], later }));
  const bad = pairs.filter(
    ({ earlier, later }) =>
      earlier?.meter === later.meter && misfit(later.kind, earlier, later) !== null,
  );
  expect(bad).toEqual([]);
}

test('SQL and the domain believe the same', { timeout: 60_000 }, async () => {
  const pair = fc.record({
    kind: fc.constantFrom<MeterKind>('odometer', 'engine_hours', 'fuel'),
    minutes: fc.integer({ min: 0, max: 3_000 }),
    from: fc.integer({ min: 0, max: 100_000 }),
    gone: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -500, max: 9_000 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(pair, { minLength: 20, maxLength: 20 }), async (pairs) => {
      for (const { kind, minutes, from, gone } of pairs) {
        const earlier = { takenAt: hoursIn(0), total: from / 10 };
        const later = { takenAt: hoursIn(minutes / 60), total: (from + gone) / 10 };
        const { rows } = await sql<{ found: string | null }>`select vehicles.misfit(${kind},
          ${earlier.takenAt}, ${earlier.total}, ${later.takenAt}, ${later.total})
          as found`.execute(t.owner);
        expect(rows[0]?.found).toBe(misfit(kind, earlier, later));
      }
    }),
    { numRuns: 15 },
  );
});
