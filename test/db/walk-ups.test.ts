// Keys that go out, on the real database: of walk-ups whole or not at all, of no blocked vehicle, not early.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { type WalkUp, walkUp } from '../../db/commands/walk-ups.ts';
import { restoreBlocks } from '../../db/migrations/0188_vehicles_keys_mended.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { exchange } from '../support/exchange-desk.ts';
import {
  AGENT,
  attempt,
  CLASS,
  hoursFromNow,
  plantFleet,
  plantVehicles,
  spanOf,
  spansOf,
} from '../support/fleet.ts';
import { backOf, factsOf, OUT, type RentalDesk, rentalDesk } from '../support/rental-desk.ts';

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

describe('a block that has begun', () => {
  /** As of a sub-rented vehicle that is to go back, and still stands in the yard. */
  async function blocked() {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 3 });
    const [vehicleId = ''] = vehicleIds;
    const begins = hoursFromNow(-2);
    await sql`update vehicles.vehicle set ownership = 'sub_rented', supplier = 'P',
      sub_rented_from = ${hoursFromNow(-99)}, sub_rented_until = ${begins},
      off_hire_notice_days = 0, cost_per_day_minor = 1, cost_currency = 'EUR'
      where id = ${vehicleId}`.execute(t.owner);
    await sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
        turnaround_minutes, vehicle_id, grip)
      values ('block', ${uuidv7()}, ${CLASS}, ${branchId}, ${branchId},
        tstzrange(${begins}, '9999-12-31Z'), 0, ${vehicleId}, 'firm')`.execute(t.owner);
    return { branchId, vehicleId };
  }

  async function blockOf(vehicleId: string): Promise<readonly string[]> {
    const { rows } = await sql<{ during: string }>`select lower(during) || ' ' || upper(during)
        as during from vehicles.span
      where vehicle_id = ${vehicleId} and kind = 'block'`.execute(t.owner);
    return rows.map(({ during }) => during);
  }

  /** Each names the keys in somebody's hand. */
  const WAYS = {
    'a walk-up': (branchId: string, vehicleId: string) =>
      walkUp(t.db, AGENT, request(branchId, { keys: { ...KEYS, vehicleId } })),
    'a check-out': async (branchId: string, vehicleId: string) =>
      desk.record(await desk.reservedAt(branchId), { ...OUT, vehicleId }),
    'an exchange': async (branchId: string, vehicleId: string) => {
      const out = await walkUp(t.db, AGENT, request(branchId));
      return desk.record(out, exchange(out, { taken: { vehicleId } }));
    },
  } as const;

  test.each(['a walk-up', 'a check-out', 'an exchange'] as const)(
    'keeps the keys of %s in, and stays',
    async (way) => {
      const { branchId, vehicleId } = await blocked();
      const before = await blockOf(vehicleId);
      const answer = await attempt<unknown>(WAYS[way](branchId, vehicleId));
      expect([typeof answer === 'string' ? answer : 'done', await blockOf(vehicleId)]).toEqual([
        'no-vehicle',
        before,
      ]);
    },
  );

  test('that keys had cut short is whole again, from when its vehicle is free', async () => {
    const [idle, busy, other] = [await blocked(), await blocked(), await blocked()];
    const before = await blockOf(idle.vehicleId);
    const ends = hoursFromNow(9);
    await sql`update vehicles.span set during = tstzrange(lower(during), now())
      where kind = 'block' and vehicle_id in (${idle.vehicleId}, ${busy.vehicleId})`.execute(
      t.owner,
    );
    // Not as its vehicle's row says: some other block, which keys did not cut short.
    await sql`update vehicles.span set during = tstzrange(lower(during) + '1 min'::interval, now())
      where kind = 'block' and vehicle_id = ${other.vehicleId}`.execute(t.owner);
    const asItIs = await blockOf(other.vehicleId);
    const grips = [
      [busy, 'out'],
      [idle, 'released'],
    ] as const;
    for (const [{ branchId, vehicleId }, grip] of grips) {
      await sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
          turnaround_minutes, vehicle_id, grip)
        values ('rental', ${uuidv7()}, ${CLASS}, ${branchId}, ${branchId},
          tstzrange(now(), ${ends}), 30, ${vehicleId}, ${grip})`.execute(t.owner);
    }
    await restoreBlocks(t.owner);
    expect(await blockOf(idle.vehicleId)).toEqual(before);
    expect((await blockOf(busy.vehicleId))[0]).toContain('9999');
    expect(await blockOf(other.vehicleId)).toEqual(asItIs);
    await restoreBlocks(t.owner);
    expect(await blockOf(idle.vehicleId)).toEqual(before);
  });
});

describe('a check-out before the booked pick-up', () => {
  test('is possible from an hour before it on, by the command, the link and the row alone', async () => {
    const soon = await desk.reserved(hoursFromNow(0.9));
    expect((await desk.record(soon, OUT)).type).toBe('checkedOut');
    const later = await desk.reserved(hoursFromNow(1.1));
    const possibleFrom = new Date(Date.parse(later.pickUpAt) - 3_600_000).toISOString();
    await expect(desk.record(later, OUT)).rejects.toMatchObject({
      code: 'invalid-state',
      details: { possibleFrom },
    });
    await expect(
      sql`update rentals.rental set status = 'active', checked_out_at = now(), fuel_out_eighths = 8,
          odometer_out_km = 1, vehicle_id = ${later.vehicleId}, version = version + 1
        where id = ${later.id}`.execute(t.owner),
    ).rejects.toMatchObject({ constraint: 'rental_out_in_time' });
  });

  test('goes by what its branch said at the booking, whatever it says now', async () => {
    const before = await desk.reserved(hoursFromNow(5));
    const { branchId } = before;
    const say = (minutes: number) =>
      sql`update vehicles.branch set early_check_out_minutes = ${minutes}, undo_minutes = 0
        where id = ${branchId}`.execute(t.owner);
    await say(360);
    await plantVehicles(t.db, branchId, 1);
    const after = await desk.reservedAt(branchId, hoursFromNow(5));
    await say(0);
    expect(await attempt(desk.record(before, OUT))).toBe('invalid-state');
    expect((await desk.record(after, OUT)).type).toBe('checkedOut');
    expect((await desk.read(after.id)).deskTerms).toMatchObject({
      earlyCheckOutMinutes: 360,
      undoMinutes: 0,
    });
    const undo = { ...OUT, type: 'undoCheckOut', reason: 'typing' } as const;
    const undone = desk.record(await desk.read(after.id), undo);
    expect(await attempt(undone)).toBe('invalid-state');
  });
});
