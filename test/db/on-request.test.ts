// Classes on request: what a full pool answers, and what becomes of what was requested.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { grantOverride } from '../../db/commands/booking-overrides.ts';
import { releaseSpan } from '../../db/commands/calendar.ts';
import { setOnRequest, withdrawOnRequest } from '../../db/commands/on-request.ts';
import { recordCommand } from '../../db/commands/rentals.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { listOnRequest } from '../../db/queries/on-request.ts';
import { readRentals } from '../../db/queries/reconciliation.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { compareRental } from '../../domain/reconciliation.ts';
import type { RentalCommand, RentalState } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  AGENT,
  attempt,
  book,
  CLASS,
  calendar,
  hoursFromNow,
  plantFleet,
  plantTrade,
  spansOf,
} from '../support/fleet.ts';
import { attemptRaw } from '../support/waiting.ts';

let t: TestDatabase;
let customerId: string;
beforeAll(async () => {
  t = await testDatabase();
  ({ customerId } = await plantTrade(t.db));
});

function reserve(branchId: string, over: object = {}): Promise<RentalState> {
  const [pickUpAt, dueAt] = [hoursFromNow(48), hoursFromNow(72)];
  const ids = { id: uuidv7(), branchId, classId: CLASS, customerId };
  return reserveRental(t.db, AGENT, { ...ids, pickUpAt, dueAt, ...over });
}

/** A branch with one vehicle, taken, whose class is on request; what is asked for waits. */
async function requested(over: object = {}) {
  const { branchId } = await plantFleet(t.db, { vehicles: 1 });
  const taken = await reserve(branchId, over);
  await setOnRequest(t.db, AGENT, { branchId, classId: CLASS }, null, 1_440);
  return { branchId, taken, wanted: await reserve(branchId, over) };
}

async function record({ id }: RentalState, command: RentalCommand, commandId = uuidv7()) {
  const version = (await read(id)).version;
  return recordCommand(t.db, AGENT, { rentalId: id, commandId, version, command });
}

async function read(id: string): Promise<RentalState> {
  const state = await rentalById(t.db, 'system:test', id);
  if (state === undefined) throw new Error(`There is no rental ${id}.`);
  return state;
}

async function factsOf(id: string): Promise<readonly string[]> {
  const { rows } = await sql<{ type: string }>`select type from events.outbox
    where aggregate_id = ${id} order by seq`.execute(t.owner);
  return rows.map(({ type }) => type.replace(/^forecourt\.rental\.|\.v1$/g, ''));
}

async function auditOf(id: string) {
  const { rows } = await sql<{ action: string; reason: string | null }>`select action, reason
    from people.audit_entry where subject_id = ${id} order by at, action`.execute(t.owner);
  return rows;
}

describe('a booking of a full pool', () => {
  test('is refused where the class is not on request', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 0 });
    expect(await attempt(reserve(branchId))).toBe('vehicle-unavailable');
    const key = { branchId, classId: CLASS };
    await setOnRequest(t.db, AGENT, key, null, 60);
    expect((await reserve(branchId)).status).toBe('requested');
    await withdrawOnRequest(t.db, AGENT, key, 1);
    expect(await attempt(reserve(branchId))).toBe('vehicle-unavailable');
  });

  test('waits for an answer, and takes neither vehicle nor place', async () => {
    const { branchId, taken, wanted } = await requested();
    expect(wanted).toMatchObject({ status: 'requested', vehicleId: null, version: 1 });
    const inADay = Date.parse(wanted.answerBy ?? '') - Date.now();
    expect(Math.abs(inADay - 24 * 3_600_000)).toBeLessThan(60_000);
    expect((await spansOf(t.owner, branchId)).map(({ ref }) => ref)).toEqual([taken.id]);
    expect(await factsOf(wanted.id)).toEqual(['requested']);
    expect(await auditOf(wanted.id)).toMatchObject([{ action: 'rental.request' }]);
  });

  test('takes what becomes free only when a person says so', async () => {
    const { branchId, taken } = await requested();
    await calendar(t.db, (tx) => releaseSpan(tx, taken.id));
    expect(await spansOf(t.owner, branchId)).toEqual([]);
  });

  test('is answered two hours before pick-up at the latest, or refused when that is over', async () => {
    const soon = { pickUpAt: hoursFromNow(3), dueAt: hoursFromNow(5) };
    const { branchId, wanted } = await requested(soon);
    expect(Date.parse(soon.pickUpAt) - Date.parse(wanted.answerBy ?? '')).toBe(7_200_000);
    const tooSoon = { pickUpAt: hoursFromNow(2), dueAt: hoursFromNow(4) };
    expect(await attempt(reserve(branchId, tooSoon))).toBe('vehicle-unavailable');
  });

  test('that is sent twice is requested once, though a vehicle became free in between', async () => {
    const { taken, wanted } = await requested();
    await calendar(t.db, (tx) => releaseSpan(tx, taken.id));
    const { id, branchId, pickUpAt, dueAt } = wanted;
    expect(await reserve(branchId, { id, pickUpAt, dueAt })).toEqual(wanted);
    expect(await spansOf(t.owner, branchId)).toEqual([]);
  });
});

describe('a request', () => {
  test('is confirmed with a vehicle that became free, at the price that was told', async () => {
    const { branchId, taken, wanted } = await requested();
    expect(await attempt(record(wanted, { type: 'confirm' }))).toBe('vehicle-unavailable');
    expect((await read(wanted.id)).status).toBe('requested');
    await calendar(t.db, (tx) => releaseSpan(tx, taken.id));
    const commandId = uuidv7();
    const outcome = await record(wanted, { type: 'confirm' }, commandId);
    expect(outcome).toMatchObject({ type: 'confirmed', vehicleId: taken.vehicleId });
    expect(await record(wanted, { type: 'confirm' }, commandId)).toEqual(outcome);
    expect(await read(wanted.id)).toMatchObject({
      status: 'reserved',
      vehicleId: taken.vehicleId,
      price: wanted.price,
      version: 2,
    });
    expect((await spansOf(t.owner, branchId)).map(({ ref }) => ref)).toEqual([wanted.id]);
    expect(await factsOf(wanted.id)).toEqual(['requested', 'confirmed']);
  });

  test('is confirmed beyond the limit by an override, with the reason of then', async () => {
    const { wanted } = await requested();
    await grantOverride(t.db, AGENT, wanted.id, 'A first try');
    await grantOverride(t.db, AGENT, wanted.id, 'Promised by phone', { anew: true });
    const override = { stopSell: false, overbook: 1 } as const;
    const outcome = await record(wanted, { type: 'confirm', override });
    expect(outcome).toMatchObject({ type: 'confirmed', vehicleId: null });
    const reason = 'see rentals.booking_override';
    expect(await auditOf(wanted.id)).toContainEqual({ action: 'rental.overbook', reason });
    const { rows } = await sql`select reason from rentals.booking_override
      where rental_id = ${wanted.id}`.execute(t.owner);
    expect(rows).toEqual([{ reason: 'Promised by phone' }]);
  });

  test.each([
    [{ type: 'decline', reason: 'no-vehicle' }, 'declined'],
    [{ type: 'expire' }, 'expired'],
    [{ type: 'cancel', reason: 'customer' }, 'cancelled'],
  ] as const)('ends by %j', async (command, status) => {
    const { branchId, wanted } = await requested();
    expect(await record(wanted, command)).toMatchObject({ type: status, reassigned: [] });
    expect((await read(wanted.id)).status).toBe(status);
    expect(await factsOf(wanted.id)).toEqual(['requested', status]);
    expect(await spansOf(t.owner, branchId)).toHaveLength(1);
  });

  test('agrees with the calendar while it has no span, in the nightly proof', async () => {
    const { taken, wanted } = await requested();
    const workflow = { status: 'requested', version: 1, vehicleId: null };
    const compared = async () => {
      const [sides] = await readRentals(t.db, { ids: [wanted.id] });
      if (sides === undefined) throw new Error('Nothing was read.');
      const found = compareRental({ ...sides, workflow }, hoursFromNow(0));
      return found.map(({ kind }) => kind);
    };
    expect(await compared()).toEqual([]);
    const listed = await readRentals(t.db, { after: null, limit: 100 });
    expect(listed.map(({ id }) => id)).toContain(wanted.id);
    await t.owner.transaction().execute(async (tx) => {
      // Past the trigger, as only a fault could.
      await sql`set local session_replication_role = replica`.execute(tx);
      await sql`update vehicles.span set ref = ${wanted.id} where ref = ${taken.id}`.execute(tx);
    });
    expect(await compared()).toContain('span-differs');
  });

  test.each([
    [
      'a new span',
      'span_of_booked_rental',
      `insert into vehicles.span (kind, ref, class_id,
      branch_out, branch_in, during, turnaround_minutes, vehicle_id, grip)
      select kind, $wanted, class_id, branch_out, branch_in, tstzrange(now() + interval '9 days',
        now() + interval '10 days'), 0, vehicle_id, grip from vehicles.span where ref = $taken`,
    ],
    [
      'a span of another',
      'span_of_booked_rental',
      'update vehicles.span set ref = $wanted where ref = $taken',
    ],
    [
      'the rental of a span',
      'rental_request_keeps_nothing',
      `insert into rentals.rental select (jsonb_populate_record(r, jsonb_build_object('id', $other,
        'number', 'RA-' || $other))).* from rentals.rental r where id = $wanted`,
    ],
  ])('keeps nothing in the calendar, says the database: %s', async (_what, constraint, text) => {
    const { branchId, taken, wanted } = await requested();
    const [from, to] = [hoursFromNow(100), hoursFromNow(124)];
    const { rentalId: other } = await book(t.db, { branchId, from, to });
    const statement = text
      .replaceAll('$taken', `'${taken.id}'`)
      .replaceAll('$wanted', `'${wanted.id}'`)
      .replaceAll('$other', `'${other}'`);
    expect(await attemptRaw(sql.raw(statement).execute(t.owner))).toBe(constraint);
  });

  test.each([
    ['rental_request_has_answer_by', `answer_by = null`],
    ['rental_request_has_no_vehicle', `vehicle_id = uuidv7()`],
    ['rental_answer_before_pick_up', `answer_by = pick_up_at - interval '119 minutes'`],
    ['rental_transition', `status = 'active'`],
  ])('is guarded by the table: %s', async (constraint, change) => {
    const { wanted } = await requested();
    const update = sql`update rentals.rental set version = version + 1, ${sql.raw(change)}
      where id = ${wanted.id}`;
    expect(await attemptRaw(update.execute(t.owner))).toBe(constraint);
  });
});

test('a setting has versions, an event and an audit row for each change', async () => {
  const { branchId } = await plantFleet(t.db, { vehicles: 0 });
  const key = { branchId, classId: CLASS };
  const set = (version: number | null, minutes: number) =>
    attempt(setOnRequest(t.db, AGENT, key, version, minutes));
  expect(await set(1, 60)).toBe('not-found');
  expect(await set(null, 60)).toMatchObject({ answer_minutes: 60, version: 1 });
  expect(await set(null, 90)).toBe('version-conflict');
  expect(await set(2, 90)).toBe('version-conflict');
  expect(await set(1, 90)).toMatchObject({ answer_minutes: 90, version: 2 });
  expect(await attempt(withdrawOnRequest(t.db, AGENT, key, 1))).toBe('version-conflict');
  await withdrawOnRequest(t.db, AGENT, key, 2);
  expect(await listOnRequest(t.db, AGENT, branchId)).toEqual([]);
  expect(await attempt(withdrawOnRequest(t.db, AGENT, key, 3))).toBe('not-found');
  expect(await set(null, 45)).toMatchObject({ active: true, version: 4 });
  const audit = await auditOf(`${branchId}/${CLASS}`);
  expect(audit.map(({ action }) => action)).toEqual([
    'on-request.set',
    'on-request.set',
    'on-request.withdraw',
    'on-request.set',
  ]);
  const out = { principal: AGENT, scope: 'branches:ELSE' };
  await expect(setOnRequest(t.db, out, key, 4, 60)).rejects.toThrow();
});
