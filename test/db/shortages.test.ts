// Shortage cases: raised once while a rental waits, helped by the ladder, ended by whatever helps.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { registerClass } from '../../db/commands/branches.ts';
import { setOverbookingLimit } from '../../db/commands/overbooking-limits.ts';
import { recordCommand } from '../../db/commands/rentals.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { resolveShortage } from '../../db/commands/shortages.ts';
import { registerVehicle } from '../../db/commands/vehicles.ts';
import { postWalk } from '../../db/commands/walks.ts';
import { listShortages, proposalsFor } from '../../db/queries/shortages.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { CLASS, hour, plantFleet, plantTrade, spanOf } from '../support/fleet.ts';

const SYSTEM = 'system:rental';
const PERSON = 'staff:test';
/** One rung above the class of the tests, and one that is none. */
const [ABOVE, ASIDE] = ['IDMR', 'FDMR'];
let t: TestDatabase;
let customerId: string;
beforeAll(async () => {
  t = await testDatabase();
  ({ customerId } = await plantTrade(t.db));
  await plantFleet(t.db, { vehicles: 0 });
  for (const id of [ABOVE, ASIDE]) await registerClass(t.db, PERSON, { id, name: id });
  await sql`insert into vehicles.upgrade (class_id, next_class_id, rank)
    values (${CLASS}, ${ABOVE}, 1)`.execute(t.owner);
});

function reserve(branchId: string): Promise<RentalState> {
  const term = { pickUpAt: hour(0), dueAt: hour(24) };
  return reserveRental(t.db, PERSON, {
    id: uuidv7(),
    branchId,
    classId: CLASS,
    customerId,
    ...term,
  });
}

/** A branch with one vehicle, which somebody has, and a rental that waits for another. */
async function waiting(): Promise<{ branchId: string; holder: RentalState; rental: RentalState }> {
  const { branchId } = await plantFleet(t.db, { vehicles: 1 });
  const measure = { percent: null, absolute: 1, fromDate: null, toDate: null };
  await setOverbookingLimit(t.db, PERSON, { id: uuidv7(), branchId, classId: CLASS, ...measure });
  const [holder, rental] = [await reserve(branchId), await reserve(branchId)];
  expect(rental.vehicleId).toBeNull();
  return { branchId, holder, rental };
}

function raise({ id }: RentalState, n = 0) {
  const command = { type: 'raiseShortage' } as const;
  const request = { commandId: `${id}/shortage/${n}`, rentalId: id, version: 1, command };
  return recordCommand(t.db, SYSTEM, request);
}

/** What the books have of a rental, debits first. */
async function postedFor(rentalId: string) {
  const { rows } = await sql`select e.source, a.code as account, l.amount
    from accounting.entry e join accounting.line l on l.entry_id = e.id
    join accounting.account a on a.id = l.account_id
    where e.rental_id = ${rentalId} order by l.amount desc`.execute(t.owner);
  return rows;
}

async function caseOf(branchId: string) {
  const { rows } = await listShortages(t.db, PERSON, { branchId, limit: 50 });
  return rows;
}

async function raised() {
  const pool = await waiting();
  await raise(pool.rental);
  const [open] = await caseOf(pool.branchId);
  if (open === undefined) throw new Error('No case was raised.');
  return { ...pool, open };
}

async function vehicleOf(branchId: string, classId: string): Promise<string> {
  const id = uuidv7();
  const car = { make: 'Skoda', model: 'Superb', modelYear: 2026, odometerKm: 1_000 };
  await registerVehicle(t.db, PERSON, { id, plate: id.slice(-8), classId, branchId, ...car });
  return id;
}

const outbox = async (caseId: string) => {
  const { rows } = await sql<{ type: string }>`select type from events.outbox
    where aggregate_id = ${caseId} order by seq`.execute(t.owner);
  return rows.map(({ type }) => type);
};

describe('a case', () => {
  test('is raised once for a rental that waits, with its fact', async () => {
    const { branchId, rental } = await waiting();
    expect(await raise(rental)).toMatchObject({ type: 'shortageRaised', version: 1 });
    await raise(rental);
    await raise(rental, 1);
    const cases = await caseOf(branchId);
    expect(cases).toMatchObject([
      { rental_id: rental.id, class_id: CLASS, step: null, version: 1 },
    ]);
    expect(await outbox(cases[0]?.id ?? '')).toEqual(['forecourt.shortage.raised.v1']);
  });

  test('is none for a rental that has a vehicle', async () => {
    const { branchId, holder } = await waiting();
    await raise(holder);
    expect(await caseOf(branchId)).toEqual([]);
  });

  test('ends with the commit that promotes its rental', async () => {
    const { branchId, holder } = await raised();
    const command = { type: 'cancel', reason: 'customer' } as const;
    const cancelled = { commandId: uuidv7(), rentalId: holder.id, version: 1, command };
    await recordCommand(t.db, PERSON, cancelled);
    expect(await caseOf(branchId)).toMatchObject([
      { step: 'promoted', vehicle_id: holder.vehicleId, version: 2 },
    ]);
  });

  test('ends with its rental', async () => {
    const { branchId, rental } = await raised();
    const command = { type: 'cancel', reason: 'customer' } as const;
    await recordCommand(t.db, PERSON, {
      commandId: uuidv7(),
      rentalId: rental.id,
      version: 1,
      command,
    });
    expect(await caseOf(branchId)).toMatchObject([{ step: 'given_up', vehicle_id: null }]);
  });
});

describe('the ladder', () => {
  test('offers classes above that have a vehicle, then vehicles near enough to be driven over', async () => {
    const { branchId, rental } = await waiting();
    expect((await proposalsFor(t.db, rental.id)).upgrades).toEqual([]);
    await vehicleOf(branchId, ABOVE);
    await vehicleOf(branchId, ASIDE);
    const near = (await plantFleet(t.db, { vehicles: 1 })).branchId;
    const far = (await plantFleet(t.db, { vehicles: 1 })).branchId;
    await sql`insert into vehicles.travel_time (from_branch, to_branch, minutes)
      values (${near}, ${branchId}, 45), (${branchId}, ${far}, 20000)`.execute(t.owner);
    const { upgrades, transfers } = await proposalsFor(t.db, rental.id);
    expect(upgrades).toEqual([{ classId: ABOVE, free: 1 }]);
    expect(transfers[0]).toMatchObject({ branchId: near, travelMinutes: 45 });
    expect(transfers.map((one) => one.branchId)).not.toContain(far);
  });

  test('upgrades at the price that was booked, in one commit', async () => {
    const { branchId, rental, open } = await raised();
    const vehicleId = await vehicleOf(branchId, ABOVE);
    const { row, moved } = await resolveShortage(t.db, PERSON, open.id, {
      step: 'upgrade',
      classId: ABOVE,
    });
    expect(row).toMatchObject({ step: 'upgrade', upgrade_class_id: ABOVE, vehicle_id: vehicleId });
    expect(moved).toMatchObject([{ rentalId: rental.id, vehicleId }]);
    expect(await spanOf(t.owner, rental.id)).toMatchObject({ vehicleId, grip: 'tentative' });
    const { rows } = await sql`select class_id, total_minor from rentals.rental
      where id = ${rental.id}`.execute(t.owner);
    expect(rows).toEqual([{ class_id: CLASS, total_minor: 6_000 }]);
    expect(await outbox(open.id)).toEqual([
      'forecourt.shortage.raised.v1',
      'forecourt.shortage.resolved.v1',
    ]);
  });

  test('gives no class that is not above, nor one without a vehicle', async () => {
    const { branchId, open } = await raised();
    await vehicleOf(branchId, ASIDE);
    const upgrade = (classId: string) =>
      resolveShortage(t.db, PERSON, open.id, { step: 'upgrade', classId });
    await expect(upgrade(ASIDE)).rejects.toMatchObject({ code: 'value-refused' });
    await expect(upgrade(ABOVE)).rejects.toMatchObject({ code: 'vehicle-unavailable' });
    expect((await caseOf(branchId))[0]?.step).toBeNull();
  });

  test('walks a renter to a competitor with its cost and reason, and not without', async () => {
    const { open } = await raised();
    const walk = { step: 'walk', costMinor: 9_900, currency: 'EUR', reason: 'Sold out' } as const;
    const { reason: _r, ...silent } = walk;
    const { costMinor: _c, currency: _e, ...free } = walk;
    for (const wrong of [silent, free]) {
      const refused = expect.objectContaining({ code: 'value-refused' });
      expect(() => resolveShortage(t.db, PERSON, open.id, wrong)).toThrow(refused);
    }
    const { row } = await resolveShortage(t.db, PERSON, open.id, walk);
    expect(row).toMatchObject({ step: 'walk', cost_minor: 9_900, reason: 'Sold out' });
    await resolveShortage(t.db, PERSON, open.id, walk);
    // One entry a case, also for whoever asks the books themselves.
    const { id: caseId, rental_id: rentalId, branch_id: branchId } = open;
    const again = { ...walk, caseId, rentalId, branchId, at: row.resolved_at ?? '' };
    const post = transact(t.db, 'vehicles_rw', PERSON, (tx) => postWalk(tx, again));
    await Promise.allSettled([post]);
    expect(await postedFor(open.rental_id)).toEqual([
      { source: 'shortage.walk', account: '5300', amount: 9_900 },
      { source: 'shortage.walk', account: '2110', amount: -9_900 },
    ]);
  });

  test('posts what a walk costs or does nothing at all', async () => {
    const { open, branchId } = await raised();
    const walk = { step: 'walk', costMinor: 9_900, currency: 'USD', reason: 'Sold out' } as const;
    const refused = resolveShortage(t.db, PERSON, open.id, walk);
    await expect(refused).rejects.toMatchObject({ code: 'currency-mismatch' });
    expect((await caseOf(branchId))[0]?.step).toBeNull();
    expect(await postedFor(open.rental_id)).toEqual([]);
    await resolveShortage(t.db, PERSON, open.id, { ...walk, currency: 'EUR', costMinor: 0 });
    expect(await postedFor(open.rental_id)).toEqual([]);
  });

  test('is climbed once: a repeat answers what was done, another step is refused', async () => {
    const { open } = await raised();
    const { row } = await resolveShortage(t.db, PERSON, open.id, { step: 'waited' });
    const again = await resolveShortage(t.db, PERSON, open.id, { step: 'waited' });
    expect(again.row).toEqual(row);
    const other = resolveShortage(t.db, PERSON, open.id, { step: 'sub_rental' });
    await expect(other).rejects.toMatchObject({ code: 'invalid-state' });
  });

  test('of another branch is not there', async () => {
    const { open } = await raised();
    const acting = { principal: 'staff:other', scope: 'branches:ZZZ' };
    const foreign = resolveShortage(t.db, acting, open.id, { step: 'waited' });
    await expect(foreign).rejects.toMatchObject({ code: 'not-found' });
  });
});

test('SQL alone refuses a second open case and a resolution that is not whole', async () => {
  const { branchId, rental, open } = await raised();
  const asOwner = (statement: string) => sql.raw(statement).execute(t.owner);
  await expect(
    asOwner(`insert into vehicles.shortage_case (id, rental_id, branch_id, class_id, pick_up_at)
      values ('${uuidv7()}', '${rental.id}', '${branchId}', '${CLASS}', now())`),
  ).rejects.toMatchObject({ constraint: 'shortage_open_once' });
  for (const [set, constraint] of [
    ["step = 'waited'", 'shortage_resolved_whole'],
    ["step = 'walk', resolved_at = now(), resolved_by = 'x'", 'shortage_walk_has_cost_and_reason'],
    ["step = 'upgrade', resolved_at = now(), resolved_by = 'x'", 'shortage_upgrade_has_vehicle'],
  ]) {
    const change = asOwner(`update vehicles.shortage_case set ${set} where id = '${open.id}'`);
    await expect(change).rejects.toMatchObject({ constraint });
  }
});
