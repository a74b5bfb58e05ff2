// Walk-ups on the real database: reserved and out in one transaction, or nothing.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { type WalkUp, walkUp } from '../../db/commands/walk-ups.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  AGENT,
  attempt,
  CLASS,
  hoursFromNow,
  plantFleet,
  spanOf,
  spansOf,
} from '../support/fleet.ts';
import { backOf, factsOf, type RentalDesk, rentalDesk } from '../support/rental-desk.ts';

let t: TestDatabase;
let desk: RentalDesk;
beforeAll(async () => {
  t = await testDatabase();
  desk = await rentalDesk(t);
});

const KEYS = { odometerKm: 2_000, fuelEighths: 8 } as const;

function request(branchId: string, over: Partial<WalkUp> = {}): WalkUp {
  const ids = { id: uuidv7(), branchId, classId: CLASS, customerId: desk.customerId };
  return { ...ids, pickUpAt: hoursFromNow(0), dueAt: hoursFromNow(24), keys: KEYS, ...over };
}

const arrive = (asked: WalkUp) => attempt(walkUp(t.db, AGENT, asked));

describe('a walk-up', () => {
  test('is reserved and out in one transaction, told as two facts, audited as two commands', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 2 });
    const asked = request(branchId);
    const out = await walkUp(t.db, AGENT, asked);
    expect(out).toMatchObject({ status: 'active', walkUp: true, odometerOutKm: 2_000, version: 2 });
    expect(await desk.read(out.id)).toEqual(out);
    expect(await spanOf(t.owner, out.id)).toMatchObject({ grip: 'out', vehicleId: out.vehicleId });
    expect(await factsOf(t.owner, out.id)).toEqual(['1 reserved', '2 checked-out']);
    const { rows } = await sql<{ action: string }>`select action from people.audit_entry
      where subject_id = ${out.id} order by id`.execute(t.owner);
    expect(rows.map(({ action }) => action)).toEqual(['rental.reserve', 'rental.checkOut']);
    expect(await walkUp(t.db, AGENT, asked)).toEqual(out);
    expect(await factsOf(t.owner, out.id)).toHaveLength(2);
  });

  test('takes the vehicle whose keys are in the hand, also while its turnaround runs', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 1 });
    const keys = { ...KEYS, vehicleId: vehicleIds[0] };
    const out = await walkUp(t.db, AGENT, request(branchId, { keys }));
    expect(out.vehicleId).toBe(vehicleIds[0]);
    await desk.record(out, backOf(out));
    const again = { ...keys, odometerKm: 2_300 };
    const next = await walkUp(t.db, AGENT, request(branchId, { keys: again }));
    expect(next.vehicleId).toBe(vehicleIds[0]);
  });

  test('takes them also while a turnaround of another kind runs', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 1 });
    await sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
        turnaround_minutes, vehicle_id, grip)
      values ('exchanged', ${uuidv7()}, ${CLASS}, ${branchId}, ${branchId},
        tstzrange(now() - interval '1 hour', now() + interval '20 minutes'), 30, ${vehicleIds[0]},
        'firm')`.execute(t.owner);
    const keys = { ...KEYS, vehicleId: vehicleIds[0] };
    const out = await walkUp(t.db, AGENT, request(branchId, { keys }));
    expect(out.vehicleId).toBe(vehicleIds[0]);
  });

  test.each([
    ['the odometer', 'odometer-rollback', { keys: { ...KEYS, odometerKm: 10 } }],
    ['a vehicle of nobody', 'no-vehicle', { keys: { ...KEYS, vehicleId: uuidv7() } }],
    ['an unknown customer', 'not-found', { customerId: uuidv7() }],
  ] as const)('that is refused for %s leaves nothing booked', async (_, code, over) => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const asked = request(branchId, over);
    expect(await arrive(asked)).toBe(code);
    expect(await spansOf(t.owner, branchId)).toEqual([]);
    expect(await factsOf(t.owner, asked.id)).toEqual([]);
  });

  test('is refused whole when the vehicle is taken out of the calendar meanwhile', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 1 });
    await sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
        turnaround_minutes, vehicle_id, grip)
      values ('block', ${uuidv7()}, ${CLASS}, ${branchId}, ${branchId},
        tstzrange(now() + interval '2 hours', now() + interval '3 hours'), 0, ${vehicleIds[0]}, 'firm')`.execute(
      t.owner,
    );
    expect(await arrive(request(branchId))).toBe('vehicle-unavailable');
    expect(await spansOf(t.owner, branchId)).toHaveLength(1);
  });

  test('64 at once for one vehicle: one drives off, nobody else has booked anything', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 1 });
    const keys = { ...KEYS, vehicleId: vehicleIds[0] };
    const asked = Array.from({ length: 64 }, (_, n) => request(branchId, n % 2 ? { keys } : {}));
    const answers = await Promise.all(asked.map(arrive));
    const refused = answers.filter((answer) => typeof answer === 'string');
    expect(refused).toHaveLength(63);
    expect(new Set(refused)).toEqual(new Set(['vehicle-unavailable']));
    expect(await spansOf(t.owner, branchId)).toHaveLength(1);
  });

  test('whose check-out is undone is given up without a fee, for nothing was kept before', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const out = await walkUp(t.db, AGENT, request(branchId));
    await desk.record(out, { type: 'undoCheckOut', ...KEYS, reason: 'renter' });
    const kept = await desk.read(out.id);
    const gone = await desk.record(kept, { type: 'cancel', reason: 'customer' });
    expect(gone).toMatchObject({ type: 'cancelled' });
    expect((await desk.read(out.id)).feeMinor).toBeNull();
  });
});
