// A vehicle's status in the database: commands, their blocks in the calendar, and what the trigger holds.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { setHold } from '../../db/commands/holds.ts';
import { changeStatus, holdDueForSale } from '../../db/commands/vehicle-status.ts';
import { registerVehicle, updateVehicle } from '../../db/commands/vehicles.ts';
import { vehicleById } from '../../db/queries/vehicles.ts';
import {
  STATUS_COMMANDS,
  type StatusCommandName,
  TRANSITIONS,
  VEHICLE_STATUSES,
} from '../../domain/vehicle.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, book, CLASS, hour, hoursFromNow, plantFleet } from '../support/fleet.ts';
import { yard } from '../support/yard.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});
const { handOut } = yard(() => t);

type Options = { readonly commandId?: string; readonly from?: string; readonly now?: string };

function change(vehicleId: string, name: StatusCommandName, options: Options = {}) {
  const now = new Date().toISOString();
  const command = { vehicleId, name, commandId: uuidv7(), reason: 'Because', now, ...options };
  return changeStatus(t.db, AGENT, command);
}

async function oneCar() {
  const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 1, turnaroundMinutes: 0 });
  return { branchId, vehicleId: vehicleIds[0] ?? '' };
}

async function blocksOf(vehicleId: string) {
  const { rows } = await sql<{ from: string }>`select lower(during) as "from" from vehicles.span
    where vehicle_id = ${vehicleId} and kind = 'block' and grip <> 'released'`.execute(t.owner);
  return rows.map(({ from }) => from);
}

async function facts(id: string) {
  const { rows } = await sql<{ seq: number; type: string }>`select seq, type from events.outbox
    where aggregate_id = ${id} order by id`.execute(t.owner);
  return rows.map(({ seq, type }) => `${seq} ${type.split('.').at(-2)}`);
}

describe('a status', () => {
  test('goes its way with an event and an audit row a step', async () => {
    const { branchId } = await oneCar();
    const id = uuidv7();
    const car = { make: 'Skoda', model: 'Octavia', modelYear: 2026, odometerKm: 10 };
    const place = { plate: `S-${id.slice(-8)}`, classId: CLASS, branchId };
    await registerVehicle(t.db, AGENT, { id, ...place, ...car, status: 'ordered' });
    const way = ['prepare', 'activate', 'prepare', 'activate', 'hold-for-sale', 'sell'] as const;
    for (const name of way) await change(id, name);
    expect(await vehicleById(t.db, AGENT, id)).toMatchObject({ status: 'sold', version: 7 });
    expect(await facts(id)).toEqual([
      '1 registered',
      ...way.map((_, n) => `${n + 2} status-changed`),
    ]);
    const { rows } = await sql`select from people.audit_entry
      where subject_id = ${id} and reason = 'Because'`.execute(t.owner);
    expect(rows).toHaveLength(way.length);
  });

  test('is changed by who works at its branch, from registration on', async () => {
    const { branchId } = await oneCar();
    const manager = { principal: 'staff:manager', scope: `branches:${branchId}` };
    const id = uuidv7();
    const car = { make: 'Skoda', model: 'Octavia', modelYear: 2026, odometerKm: 10 };
    const place = { plate: `M-${id.slice(-8)}`, classId: CLASS, branchId };
    await registerVehicle(t.db, manager, { id, ...place, ...car });
    await updateVehicle(t.db, manager, id, 1, { plate: `N-${id.slice(-8)}` });
    const command = { vehicleId: id, reason: 'Hail', now: new Date().toISOString() };
    for (const name of ['prepare', 'activate', 'hold-for-sale'] as const) {
      await changeStatus(t.db, manager, { ...command, name, commandId: uuidv7() });
    }
    const other = { principal: 'staff:other', scope: 'branches:NONE' };
    const strange = changeStatus(t.db, other, { ...command, name: 'sell', commandId: uuidv7() });
    await expect(strange).rejects.toMatchObject({ code: 'not-found' });
  });

  test('changes once for a command, however often it is sent', async () => {
    const { vehicleId } = await oneCar();
    const commandId = uuidv7();
    const first = await change(vehicleId, 'prepare', { commandId });
    expect(await change(vehicleId, 'prepare', { commandId })).toEqual(first);
    expect(await attempt(change(vehicleId, 'prepare'))).toBe('invalid-state');
  });

  test('of a vehicle that is booked or out stays, and the answer lists why', async () => {
    const { branchId, vehicleId } = await oneCar();
    const { rentalId } = await book(t.db, { branchId, from: hour(0), to: hour(10) });
    for (const name of ['prepare', 'hold-for-sale', 'write-off'] as const) {
      await expect(change(vehicleId, name)).rejects.toMatchObject({
        code: 'invalid-state',
        details: {
          reason: 'booked',
          spans: [{ kind: 'rental', ref: rentalId, from: hour(0), to: hour(10) }],
        },
      });
    }
    await handOut(rentalId, hour(0));
    expect(await attempt(change(vehicleId, 'write-off'))).toBe('invalid-state');
  });

  test('of a vehicle that a recall bars from sale does not become sold', async () => {
    const { vehicleId } = await oneCar();
    await change(vehicleId, 'hold-for-sale');
    const hold = { type: 'recall', severity: 'soft', reason: 'Airbag', barsSale: true } as const;
    const source = { source: 'recall', sourceRef: `r/${vehicleId}` } as const;
    await transact(t.db, 'vehicles_rw', AGENT, (tx) => setHold(tx, { ...source, vehicleId, hold }));
    expect(await attempt(change(vehicleId, 'sell'))).toBe('vehicle-held');
  });

  test('back in service serves who waits, in the same transaction', async () => {
    const { branchId, vehicleId } = await oneCar();
    await change(vehicleId, 'prepare');
    const rentalId = uuidv7();
    await sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
        turnaround_minutes, grip, over_limit_reason)
      values ('rental', ${rentalId}, ${CLASS}, ${branchId}, ${branchId},
        tstzrange(${hour(0)}, ${hour(5)}), 0, 'unassigned', 'overdue')`.execute(t.owner);
    await change(vehicleId, 'activate');
    const { rows } = await sql<{ grip: string; vehicle: string }>`select grip,
      vehicle_id as vehicle from vehicles.span where ref = ${rentalId}`.execute(t.owner);
    expect(rows).toEqual([{ grip: 'tentative', vehicle: vehicleId }]);
  });
});

describe('a sale', () => {
  test('that is planned allows nothing behind its date, and everything before', async () => {
    const { branchId, vehicleId } = await oneCar();
    const planned = await change(vehicleId, 'hold-for-sale', { from: hour(100) });
    expect(planned).toMatchObject({ status: 'in_service', held_for_sale_at: hour(100) });
    expect(await blocksOf(vehicleId)).toEqual([hour(100)]);
    const tried = (from: number, to: number) =>
      attempt(book(t.db, { branchId, from: hour(from), to: hour(to) }));
    expect(await tried(90, 101)).toBe('vehicle-unavailable');
    expect(await tried(90, 100)).toMatchObject({ vehicleId });
    // An earlier date comes after the booking only; calling it off frees the calendar.
    const earlier = change(vehicleId, 'hold-for-sale', { from: hour(95) });
    await expect(earlier).rejects.toMatchObject({ details: { reason: 'booked' } });
    await change(vehicleId, 'activate');
    expect(await blocksOf(vehicleId)).toEqual([]);
    expect(await tried(100, 110)).toMatchObject({ vehicleId });
  });

  test('begins on its date, or when the vehicle is back', async () => {
    const [idle, out] = [await oneCar(), await oneCar()];
    const { rentalId } = await book(t.db, {
      branchId: out.branchId,
      from: hoursFromNow(0),
      to: hoursFromNow(1),
    });
    await handOut(rentalId, hoursFromNow(0));
    const from = hoursFromNow(2);
    for (const { vehicleId } of [idle, out]) await change(vehicleId, 'hold-for-sale', { from });
    expect(await holdDueForSale(t.db, hoursFromNow(1))).toBe(0);
    expect(await holdDueForSale(t.db, hoursFromNow(3))).toBe(1);
    expect(await vehicleById(t.db, AGENT, idle.vehicleId)).toMatchObject({
      status: 'held_for_sale',
      held_for_sale_at: from,
    });
    expect(await vehicleById(t.db, AGENT, out.vehicleId)).toMatchObject({ status: 'in_service' });
  });
});

describe('the database itself', () => {
  const PAIRS = new Set(
    STATUS_COMMANDS.flatMap((name) =>
      TRANSITIONS[name].from.map((from) => `${from}>${TRANSITIONS[name].to}`),
    ),
  );

  test('holds the same pairs as the domain, and no others', async () => {
    const { vehicleId } = await oneCar();
    const { vehicleId: leased } = await oneCar();
    await sql`update vehicles.vehicle set ownership = 'leased', supplier = 'Lessor'
      where id = ${leased}`.execute(t.owner);
    const undo = new Error('undo');
    const allowed: string[] = [];
    for (const from of VEHICLE_STATUSES) {
      for (const to of VEHICLE_STATUSES) {
        if (from === to) continue;
        const id = to === 'returned_to_supplier' ? leased : vehicleId;
        await t.owner
          .transaction()
          .execute(async (tx) => {
            await sql`alter table vehicles.vehicle disable trigger all`.execute(tx);
            await sql`update vehicles.vehicle set status = ${from},
              held_for_sale_at = case when ${from} in ('held_for_sale', 'sold') then now() end
              where id = ${id}`.execute(tx);
            await sql`alter table vehicles.vehicle enable trigger all`.execute(tx);
            await sql`update vehicles.vehicle set status = ${to},
              held_for_sale_at = case when ${to} in ('held_for_sale', 'sold', 'written_off')
                then now() end where id = ${id}`.execute(tx);
            allowed.push(`${from}>${to}`);
            throw undo;
          })
          .catch((error) => {
            if (error !== undo && error.code !== '23514') throw error;
          });
      }
    }
    expect(allowed.sort()).toEqual([...PAIRS].sort());
  });

  test('keeps a booked vehicle in service, and what is ours from being returned', async () => {
    const { branchId, vehicleId } = await oneCar();
    await book(t.db, { branchId, from: hour(0), to: hour(10) });
    const set = (status: string) =>
      sql`update vehicles.vehicle set status = ${status} where id = ${vehicleId}`.execute(t.owner);
    await expect(set('preparing')).rejects.toMatchObject({ constraint: 'vehicle_status_booked' });
    await expect(set('returned_to_supplier')).rejects.toMatchObject({
      constraint: 'vehicle_status_ownership',
    });
    await expect(set('sold')).rejects.toMatchObject({ constraint: 'vehicle_status_transition' });
  });
});
