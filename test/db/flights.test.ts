// Late flights and old key drops on the database: what is kept, for how long, and what becomes of it.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { grantDrop } from '../../db/commands/drop-overrides.ts';
import { eraseReasons } from '../../db/commands/erasure-traces.ts';
import { flightOf, noteFlight } from '../../db/commands/flights.ts';
import { setOpeningHours } from '../../db/commands/opening-hours.ts';
import { personalData } from '../../db/queries/personal-data.ts';
import { localTime } from '../../domain/calendar.ts';
import { evolve, type RentalState } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, calendar, hoursFromNow, spanOf } from '../support/fleet.ts';
import { OUT, type RentalDesk, rentalDesk } from '../support/rental-desk.ts';

const HOUR = 3_600_000;
let t: TestDatabase;
let desk: RentalDesk;
beforeAll(async () => {
  t = await testDatabase();
  desk = await rentalDesk(t);
});

const plus = (at: string, hours: number) => new Date(Date.parse(at) + hours * HOUR).toISOString();
const say = (rental: RentalState, delayMinutes: number) =>
  desk.record(rental, { type: 'announceDelay', delayMinutes });

async function actionsOf({ id }: RentalState) {
  const { rows } = await sql<{ action: string; reason: string | null }>`select action, reason
    from people.audit_entry where subject_id = ${id} order by at, id`.execute(t.owner);
  return rows;
}

async function flown(dueIn = 72): Promise<RentalState> {
  const rental = await desk.reserved(hoursFromNow(0), hoursFromNow(dueIn));
  await noteFlight(t.db, AGENT, rental.id, 'OS123');
  return rental;
}

describe('a late flight', () => {
  test('keeps the vehicle as much longer; its span, price and due time stay', async () => {
    const rental = await flown();
    const span = await spanOf(t.owner, rental.id);
    const outcome = await say(rental, 600);
    const noShowAt = plus(rental.noShowAt, 10);
    expect(outcome).toMatchObject({ type: 'delayAnnounced', version: 2, noShowAt });
    const late = await desk.read(rental.id);
    const { pickUpAt, dueAt, price } = rental;
    expect(late).toMatchObject({ delayMinutes: 600, noShowAt, pickUpAt, dueAt, price });
    expect(await spanOf(t.owner, rental.id)).toEqual(span);
    await say(late, 60);
    expect((await desk.read(rental.id)).noShowAt).toBe(plus(rental.noShowAt, 1));
  });

  test('is told of to the world and the log by its minutes alone, and goes with the person', async () => {
    const rental = await flown();
    await say(rental, 90);
    await noteFlight(t.db, AGENT, rental.id, 'OS123');
    const { rows } = await sql<{ event: string }>`select event::text from events.outbox
        where aggregate_id = ${rental.id}
      union all select to_jsonb(a)::text from people.audit_entry a where subject_id = ${rental.id}
      union all select outcome::text from rentals.command where rental_id = ${rental.id}`.execute(
      t.owner,
    );
    expect(rows.filter(({ event }) => event.includes('OS123'))).toEqual([]);
    expect((await actionsOf(rental)).map(({ action }) => action)).toEqual([
      ...['rental.reserve', 'rental.flight-noted', 'rental.announceDelay'],
    ]);
    const { flights } = (await personalData(t.db, AGENT, desk.customerId)) ?? {};
    expect(flights).toContainEqual(expect.objectContaining({ flight_number: 'OS123' }));
    await calendar(t.db, (tx) => eraseReasons(tx, [desk.customerId]));
    expect(await flightOf(t.db, AGENT, rental.id)).toBeNull();
  });

  test('keeps nothing past the booked time, nor less than was given at the desk', async () => {
    const short = await flown(5);
    expect(await say(short, 1_440)).toMatchObject({ noShowAt: short.dueAt });
    const patient = await flown();
    const given = plus(patient.noShowAt, 3);
    await sql`update rentals.rental set no_show_at = ${given}, version = 2
      where id = ${patient.id}`.execute(t.owner);
    expect(await say({ ...patient, version: 2 }, 60)).toMatchObject({ noShowAt: given });
  });

  test('is waited for as long as it takes once the booked time is extended', async () => {
    const rental = await flown(3);
    expect(await say(rental, 360)).toMatchObject({ noShowAt: rental.dueAt });
    const extend = { type: 'extend', dueAt: plus(rental.dueAt, 7) } as const;
    const noShowAt = plus(rental.noShowAt, 6);
    const known = await desk.read(rental.id);
    const extended = await desk.record(known, extend);
    expect(extended).toMatchObject({ type: 'extended', noShowAt });
    expect((await desk.read(rental.id)).noShowAt).toBe(noShowAt);
    expect(evolve(known, extended).noShowAt).toBe(noShowAt);
  });

  test('that turns out shorter leaves an hour, whatever the new time would have been', async () => {
    const rental = await flown();
    await say(rental, 300);
    const late = await desk.earlier(await desk.read(rental.id), 4);
    const { noShowAt } = (await say(late, 0)) as { noShowAt: string };
    expect(Math.abs(Date.parse(noShowAt) - Date.now() - HOUR)).toBeLessThan(60_000);
  });

  test('is forgotten with another pick-up, which is another arrival', async () => {
    const rental = await flown();
    await say(rental, 120);
    const kept = { type: 'amend', dueAt: plus(rental.dueAt, 24) } as const;
    await desk.record(await desk.read(rental.id), kept);
    const same = await desk.read(rental.id);
    expect(same).toMatchObject({ delayMinutes: 120, noShowAt: plus(rental.noShowAt, 2) });
    await desk.record(same, { type: 'amend', pickUpAt: plus(rental.pickUpAt, 5) });
    const noShowAt = plus(rental.noShowAt, 5);
    expect(await desk.read(rental.id)).toMatchObject({ delayMinutes: 0, noShowAt });
  });

  test('is one of a known flight, and of somebody who is still waited for', async () => {
    const rental = await desk.reserved();
    expect(await attempt(say(rental, 60))).toBe('value-refused');
    const set = (delay: number) =>
      sql`update rentals.rental set delay_minutes = ${delay}, version = version + 1
        where id = ${rental.id}`.execute(t.owner);
    await expect(set(60)).rejects.toMatchObject({ constraint: 'rental_delay_has_flight' });
    await noteFlight(t.db, AGENT, rental.id, 'OS123');
    await expect(set(1_441)).rejects.toMatchObject({ constraint: 'rental_delay_within_a_day' });
    const odd = noteFlight(t.db, AGENT, rental.id, 'FLIGHT OF ADA');
    await expect(odd).rejects.toMatchObject({ constraint: 'flight_number_is_one' });
    await desk.record(rental, OUT);
    expect(await attempt(noteFlight(t.db, AGENT, rental.id, 'OS124'))).toBe('invalid-state');
    await expect(set(60)).rejects.toMatchObject({ constraint: 'rental_delay_in_time' });
    expect(await attempt(noteFlight(t.db, AGENT, uuidv7(), 'OS124'))).toBe('not-found');
    const other = { principal: 'staff:other', scope: 'branches:ELSEWHERE' };
    expect(await flightOf(t.db, other, rental.id)).toBeNull();
    expect(await attempt(noteFlight(t.db, other, rental.id, 'OS124'))).toBe('not-found');
  });
});

test('an old key drop is taken for true by a manager, who said why; the log says that', async () => {
  const rental = await desk.earlier(await desk.handedOut(), 30);
  const [opens, closes] = [-4, -3].map((hours) =>
    localTime(hoursFromNow(hours), 'Europe/Vienna').slice(11, 16),
  );
  const period = { opens: opens ?? '', closes: closes ?? '' };
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, ...period }));
  const hours = { weekly, keyDrop: true, outOfHours: null };
  await setOpeningHours(t.db, AGENT, rental.branchId, 1, hours);
  const droppedAt = hoursFromNow(-6);
  const { branchId } = rental;
  const back = { type: 'checkIn', odometerKm: 2_300, fuelEighths: 6, branchId, droppedAt } as const;
  expect(await attempt(desk.record(rental, back))).toBe('invalid-time');
  const granted = { ...back, dropGranted: true } as const;
  await expect(desk.record(rental, granted), 'without a reason').rejects.toThrow(/no reason/);
  await grantDrop(t.db, AGENT, rental.id, 'The camera shows it.');
  await desk.record(rental, granted);
  expect(await desk.read(rental.id)).toMatchObject({ afterHours: true, checkedInAt: droppedAt });
  expect(await actionsOf(rental)).toContainEqual({
    action: 'rental.override-drop',
    reason: 'see rentals.drop_override',
  });
});
