// Transfer tickets: span, row, readings, event and audit are one; the vehicle is where it was driven.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { planTransfer, recordTransfer } from '../../db/commands/transfers.ts';
import { transferById } from '../../db/queries/transfers.ts';
import type { TransferCommand, TransferState } from '../../domain/transfer.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  AGENT,
  attempt,
  book,
  CLASS,
  hour,
  hoursFromNow,
  overlaps,
  spanOf,
  strays,
} from '../support/fleet.ts';
import { journeys, yard } from '../support/yard.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

const { handOut, giveBack } = yard(() => t);
const { twoBranches, drive, free, branchOf } = journeys(() => t);

const DASH = { odometerKm: 1_100, fuelEighths: 8 };
const LATER = { odometerKm: 1_260, fuelEighths: 6 };

function plan(vehicleId: string, toBranchId: string, from: number, to?: number) {
  const arrivesAt = to === undefined ? null : hour(to);
  const command = { ...planned(vehicleId, toBranchId), departsAt: hour(from), arrivesAt };
  return planTransfer(t.db, AGENT, { commandId: uuidv7(), command });
}

function planned(vehicleId: string, toBranchId: string) {
  return { id: uuidv7(), vehicle: { id: vehicleId }, toBranchId, driverId: null, arrivesAt: null };
}

function record({ id, version }: TransferState, command: TransferCommand, commandId = uuidv7()) {
  return recordTransfer(t.db, AGENT, { commandId, transferId: id, version, command });
}

async function facts(id: string): Promise<readonly (readonly [string, number])[]> {
  const { rows } = await sql<{ type: string; seq: number }>`select type, seq from events.outbox
    where aggregate_id = ${id} order by seq`.execute(t.owner);
  return rows.map(({ type, seq }) => [type.split('.')[2] ?? '', seq]);
}

const one = (ids: readonly string[]) => ids[0] ?? '';

describe('a transfer', () => {
  test('is planned, departs and arrives: readings at both ends, and the vehicle is there', async () => {
    const { a, b, atA } = await twoBranches(1, 0);
    const { transfer } = await plan(one(atA), b, 0);
    expect(transfer).toMatchObject({ status: 'planned', fromBranchId: a, toBranchId: b });
    expect(transfer.arrivesAt).toBe(hour(3));
    const gone = await record(transfer, { type: 'depart', ...DASH, at: hour(0.5) });
    expect(gone.transfer).toMatchObject({ status: 'under_way', odometerOutKm: 1_100, version: 2 });
    const there = await record(gone.transfer, { type: 'arrive', ...LATER, at: hour(2) });
    expect(there.transfer).toMatchObject({ status: 'arrived', odometerInKm: 1_260, version: 3 });
    expect(await branchOf(one(atA))).toBe(b);
    expect(await free(b, 3, 9)).toBe(1);
    expect(await facts(transfer.id)).toEqual([
      ['planned', 1],
      ['departed', 2],
      ['arrived', 3],
    ]);
    const { rows } = await sql<{ km: number; fuel: number; readings: number }>`select
        v.odometer_km as km, v.fuel_eighths as fuel, (select count(*) from vehicles.reading r
          join vehicles.meter m on m.id = r.meter_id
          where m.vehicle_id = v.id and m.kind = 'odometer') as readings
      from vehicles.vehicle v where id = ${one(atA)}`.execute(t.owner);
    expect(rows[0]).toEqual({ km: 1_260, fuel: 6, readings: 2 });
    const audit = await sql<{ action: string }>`select action from people.audit_entry
      where subject_type = 'transfer' and subject_id = ${transfer.id} order by at`.execute(t.owner);
    expect(audit.rows.map(({ action }) => action)).toEqual([
      'transfer.plan',
      'transfer.depart',
      'transfer.arrive',
    ]);
  });

  test('repeated, each command answers what it led to, and has one effect', async () => {
    const { b, atA } = await twoBranches(1, 0);
    const { transfer } = await plan(one(atA), b, 0);
    const commandId = uuidv7();
    const depart = { type: 'depart', ...DASH, at: hour(0) } as const;
    const first = await record(transfer, depart, commandId);
    expect(await record(transfer, depart, commandId)).toEqual(first);
    expect(await facts(transfer.id)).toHaveLength(2);
    const stale = await attempt(record(transfer, { type: 'cancel', reason: 'other' }));
    expect(stale).toBe('version-conflict');
  });

  test('names what is booked in its way', async () => {
    const { a, b, atA } = await twoBranches(1, 0);
    const next = await drive(a, a, 20, 30);
    await expect(plan(one(atA), b, 0)).rejects.toMatchObject({
      code: 'vehicle-unavailable',
      details: { inTheWay: [{ kind: 'rental', ref: next.rentalId }] },
    });
    await expect(plan(one(atA), b, 22)).rejects.toMatchObject({
      details: { inTheWay: [{ ref: next.rentalId }] },
    });
  });

  test('gives the bookings in its way to other vehicles, before it is refused', async () => {
    const { a, b, atA } = await twoBranches(2, 0);
    const booked = [await drive(a, a, 1, 5), await drive(a, a, 20, 30)];
    const vehicleId = booked[0]?.vehicleId ?? '';
    const other = atA.find((id) => id !== vehicleId) ?? '';
    const { transfer, reassigned } = await plan(vehicleId, b, 0);
    expect(transfer).toMatchObject({ status: 'planned', vehicleId });
    const ours = booked.filter((each) => each.vehicleId === vehicleId);
    expect(reassigned.map(({ rentalId }) => rentalId).toSorted()).toEqual(
      ours.map(({ rentalId }) => rentalId).toSorted(),
    );
    for (const { rentalId } of booked) {
      expect(await spanOf(t.owner, rentalId)).toMatchObject({ vehicleId: other });
    }
    await expect(plan(other, b, 0)).rejects.toMatchObject({ code: 'vehicle-unavailable' });
  });

  test('takes the best vehicle of a class that nobody needs later', async () => {
    const { a, b, atA } = await twoBranches(2, 0);
    const booked = await drive(a, a, 20, 30);
    const command = {
      id: uuidv7(),
      vehicle: { classId: CLASS, at: a },
      toBranchId: b,
      driverId: null,
      departsAt: hour(0),
      arrivesAt: null,
    };
    const { transfer } = await planTransfer(t.db, AGENT, { commandId: uuidv7(), command });
    expect(atA).toContain(transfer.vehicleId);
    expect(transfer.vehicleId).not.toBe(booked.vehicleId);
    const again = { ...command, id: uuidv7() };
    const none = await attempt(planTransfer(t.db, AGENT, { commandId: uuidv7(), command: again }));
    expect(none).toBe('vehicle-unavailable');
  });

  test('does not let the odometer go back, at either end', async () => {
    const { b, atA } = await twoBranches(1, 0);
    const { transfer } = await plan(one(atA), b, 0);
    const low = { type: 'depart', odometerKm: 900, fuelEighths: 8, at: hour(0) } as const;
    expect(await attempt(record(transfer, low))).toBe('odometer-rollback');
    const gone = await record(transfer, { type: 'depart', ...DASH, at: hour(0) });
    const raw = sql`update vehicles.transfer set status = 'arrived', version = 3,
      arrived_at = ${hour(1)}, odometer_in_km = 1000, fuel_in_eighths = 8
      where id = ${gone.transfer.id}`.execute(t.owner);
    await expect(raw).rejects.toMatchObject({ constraint: 'transfer_never_goes_back' });
  });

  test('goes one way only, whoever writes', async () => {
    const { b, atA } = await twoBranches(1, 0);
    const { transfer } = await plan(one(atA), b, 0);
    const ended = await record(transfer, { type: 'cancel', reason: 'driver' });
    expect(ended.transfer).toMatchObject({ status: 'cancelled', cancelReason: 'driver' });
    const raw = sql`update vehicles.transfer set status = 'planned', cancel_reason = null,
      version = 3 where id = ${transfer.id}`.execute(t.owner);
    await expect(raw).rejects.toMatchObject({ constraint: 'transfer_transition' });
  });
});

describe('late', () => {
  test('under way, it keeps its vehicle in the calendar and what relied on it moves', async () => {
    const { a, b, atA, atB } = await twoBranches(1, 1);
    await sql`insert into vehicles.travel_time values (${a}, ${b}, 1)`.execute(t.owner);
    const departsAt = hoursFromNow(-0.2);
    const command = { ...planned(one(atA), b), departsAt };
    const { transfer } = await planTransfer(t.db, AGENT, { commandId: uuidv7(), command });
    const term = { branchId: b, from: hoursFromNow(1), to: hoursFromNow(9) };
    const [relying, other] = [await book(t.db, term), await book(t.db, term)];
    expect([relying.vehicleId, other.vehicleId].toSorted()).toEqual([...atA, ...atB].toSorted());
    const gone = await record(transfer, { type: 'depart', ...DASH, at: departsAt });
    const late = await record(gone.transfer, { type: 'markOverdue' });
    expect(late.transfer).toMatchObject({ overdue: true, status: 'under_way' });
    const kept = Date.parse(late.transfer.keptUntil ?? '') - Date.now();
    expect(Math.abs(kept - 120 * 60_000)).toBeLessThan(30_000);
    const moved = relying.vehicleId === one(atA) ? relying : other;
    expect(late.reassigned).toMatchObject([{ rentalId: moved.rentalId, vehicleId: null }]);
    expect(await spanOf(t.owner, moved.rentalId)).toMatchObject({ reason: 'overdue' });
    const at = new Date().toISOString();
    const there = await record(late.transfer, { type: 'arrive', ...LATER, at });
    expect(there.transfer).toMatchObject({ status: 'arrived', overdue: false });
    expect(there.reassigned).toMatchObject([{ rentalId: moved.rentalId, vehicleId: one(atA) }]);
  });

  test('in departing, it is expected as much later', async () => {
    const { b, atA } = await twoBranches(1, 0);
    const { transfer } = await plan(one(atA), b, 0, 4);
    const gone = await record(transfer, { type: 'depart', ...DASH, at: hour(2) });
    expect(gone.transfer.arrivesAt).toBe(hour(6));
    expect(await spanOf(t.owner, transfer.id)).toMatchObject({ grip: 'out', until: hour(7) });
  });

  test('not departed at all, it is only somebody’s concern', async () => {
    const { b, atA } = await twoBranches(1, 0);
    const { transfer } = await plan(one(atA), b, 0);
    const late = await record(transfer, { type: 'markOverdue' });
    expect(late).toMatchObject({ reassigned: [], transfer: { overdue: true, keptUntil: null } });
  });
});

test('a drive that the calendar gave up ends as void, whatever was asked', async () => {
  const { a, b, atA } = await twoBranches(1, 0);
  const there = await drive(a, b, 0, 5);
  const back = await plan(one(atA), a, 10);
  await handOut(there.rentalId, hour(0));
  // It is brought back to where it was rented, not to where it was booked to.
  await sql`update vehicles.span set grip = 'released' where ref = ${back.transfer.id}`.execute(
    t.owner,
  );
  await giveBack(there.rentalId, hour(5));
  const ended = await record(back.transfer, { type: 'depart', ...LATER, at: hour(10) });
  expect(ended.transfer).toMatchObject({ status: 'cancelled', cancelReason: 'void' });
});

test('a chain of one-way rentals and transfers leaves no vehicle where it is not', async () => {
  const { a, b, atA } = await twoBranches(1, 0);
  await drive(a, b, 0, 5);
  await plan(one(atA), a, 10);
  const last = await drive(a, b, 20, 30);
  expect(last.vehicleId).toBe(one(atA));
  const raw = sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
      turnaround_minutes, vehicle_id, grip)
    values ('rental', ${uuidv7()}, ${CLASS}, ${a}, ${a}, tstzrange(${hour(40)}, ${hour(50)}), 30,
      ${one(atA)}, 'tentative')`.execute(t.owner);
  await expect(raw).rejects.toMatchObject({ constraint: 'span_location_continuity' });
  expect([await overlaps(t.owner), await strays(t.owner)]).toEqual([0, 0]);
});

test('a ticket is seen at both its ends, and nowhere else', async () => {
  const { a, b, atA } = await twoBranches(1, 0);
  const { transfer } = await plan(one(atA), b, 0);
  const at = (scope: string) =>
    transferById(t.db, { principal: 'staff:x', scope: `branches:${scope}` }, transfer.id);
  expect([await at(a), await at(b), await at('ZZZ')].map((row) => row?.id)).toEqual([
    transfer.id,
    transfer.id,
    undefined,
  ]);
});
