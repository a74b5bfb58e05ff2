// What the counter reads at a hand-over: a dash reading, in the hand-over's own transaction.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { listReviews } from '../../db/queries/meters.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, calendar } from '../support/fleet.ts';
import { dash, onVehicle, take } from '../support/meters.ts';
import { backOf, type RentalDesk, rentalDesk } from '../support/rental-desk.ts';

let t: TestDatabase;
let desk: RentalDesk;
beforeAll(async () => {
  t = await testDatabase();
  desk = await rentalDesk(t);
});

async function read(vehicleId: string) {
  const { rows } = await sql<{ line: string }>`select concat_ws(' ', r.origin, r.kind,
      trim_scale(r.value), r.state) as line
    from vehicles.reading r join vehicles.meter m on m.id = r.meter_id
    where m.vehicle_id = ${vehicleId} order by r.taken_at, r.kind desc`.execute(t.owner);
  return rows.map((row) => row.line);
}

async function returned(): Promise<{ readonly rental: RentalState; readonly vehicleId: string }> {
  const out = await desk.handedOut();
  await desk.record(out, backOf(out));
  const rental = await desk.read(out.id);
  return { rental, vehicleId: rental.vehicleId ?? '' };
}

test('each tells km and fuel; the contract’s km stand, and are looked at', async () => {
  const { vehicleId } = await returned();
  expect(await read(vehicleId)).toEqual([
    'check-out odometer 2000 accepted',
    'check-out fuel 8 accepted',
    'check-in odometer 2300 accepted',
    'check-in fuel 6 accepted',
  ]);
  expect(await onVehicle(t.owner, vehicleId)).toMatchObject({ km: 2_300, fuel: 6 });
  const { rows } = await listReviews(t.db, AGENT, { vehicleId, limit: 5 });
  expect(rows.map((row) => [row.origin, row.review_reason])).toEqual([['check-in', 'too-fast']]);
});

test('a reading that comes late never re-opens a closed rental’s km', async () => {
  const { rental, vehicleId } = await returned();
  const day = (n: number) => new Date(Date.now() + n * 86_400_000).toISOString();
  await take(t, dash(vehicleId, 0, 1_900, { takenAt: day(-1) }));
  await take(t, dash(vehicleId, 0, 5_000, { takenAt: day(9) }));
  const now = await desk.read(rental.id);
  expect(now).toEqual(rental);
  expect([now.odometerOutKm, now.odometerInKm]).toEqual([2_000, 2_300]);
  expect(await onVehicle(t.owner, vehicleId)).toMatchObject({ km: 5_000 });
});

test('a hand-over that fails leaves no reading; one that is repeated leaves one', async () => {
  const rental = await desk.handedOut();
  const vehicleId = rental.vehicleId ?? '';
  const call = (km: number) => sql`select vehicles.record_dash_reading(${vehicleId}, ${km}, 4,
    '2026-01-05T10:00:00Z', 'check-in')`;
  const failing = calendar(t.db, async (tx) => {
    await call(1_500).execute(tx);
    throw new Error('the invoice failed');
  });
  await expect(failing).rejects.toThrow('the invoice failed');
  expect(await read(vehicleId)).toHaveLength(2);
  for (let n = 0; n < 2; n += 1) await calendar(t.db, (tx) => call(1_500).execute(tx));
  expect(await read(vehicleId)).toHaveLength(4);
});

test('hand-overs and devices at once neither wait for ever nor lose a reading', async () => {
  const vehicleId = (await desk.handedOut()).vehicleId ?? '';
  const at = (n: number) => new Date(Date.now() - 86_400_000 + n * 60_000).toISOString();
  const over = (n: number) => ({ takenAt: at(n), id: uuidv7() });
  const work = Array.from({ length: 8 }, (_, n) =>
    n % 2 === 0
      ? take(
          t,
          dash(vehicleId, 0, 1_000 + n, over(n)),
          dash(vehicleId, 0, n % 9, {
            ...over(n),
            kind: 'fuel',
          }),
        )
      : calendar(t.db, (tx) =>
          sql`select vehicles.record_dash_reading(${vehicleId}, ${1_000 + n}, ${n % 9}, ${at(n)},
            'work-order')`.execute(tx),
        ),
  );
  await Promise.all(work);
  expect(await read(vehicleId)).toHaveLength(18);
});
