// What a desk does daily, on the real database: keys back at once, late comers, no-shows.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { setOpeningHours } from '../../db/commands/opening-hours.ts';
import { recordConsent } from '../../db/commands/violation-terms.ts';
import { readRentals } from '../../db/queries/reconciliation.ts';
import { localTime } from '../../domain/calendar.ts';
import { compareRental } from '../../domain/reconciliation.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, book, hoursFromNow, spanOf } from '../support/fleet.ts';
import { backOf, factsOf, OUT, type RentalDesk, rentalDesk } from '../support/rental-desk.ts';

let t: TestDatabase;
let desk: RentalDesk;
beforeAll(async () => {
  t = await testDatabase();
  desk = await rentalDesk(t);
});

const earlier: RentalDesk['earlier'] = (...passed) => desk.earlier(...passed);

describe('a check-out that is undone', () => {
  const undo = {
    type: 'undoCheckOut',
    odometerKm: 2_005,
    fuelEighths: 7,
    reason: 'typing',
  } as const;

  test('leaves a reserved rental with its vehicle, the reading, a fact and the reason', async () => {
    const rental = await desk.handedOut();
    await desk.record(rental, undo);
    const kept = await desk.read(rental.id);
    expect(kept).toMatchObject({
      status: 'reserved',
      vehicleId: rental.vehicleId,
      checkedOutAt: null,
      odometerOutKm: null,
      fuelOutEighths: null,
      version: 3,
    });
    expect(Date.parse(kept.noShowAt)).toBeGreaterThanOrEqual(Date.parse(rental.noShowAt));
    expect(await spanOf(t.owner, rental.id)).toMatchObject({ grip: 'tentative' });
    expect(await factsOf(t.owner, rental.id)).toEqual([
      '1 reserved',
      '2 checked-out',
      '3 check-out-undone',
    ]);
    const { rows } = await sql<{ km: number; audited: string }>`select v.odometer_km as km,
        (select after->>'reason' from people.audit_entry where subject_id = ${rental.id}
          and action = 'rental.undoCheckOut') as audited
      from vehicles.vehicle v where v.id = ${rental.vehicleId}`.execute(t.owner);
    expect(rows).toEqual([{ km: 2_005, audited: 'typing' }]);
    await desk.record(kept, { ...OUT, odometerKm: 2_005 });
    expect(await desk.read(rental.id)).toMatchObject({ status: 'active', odometerOutKm: 2_005 });
  });

  test('ends the consent to later charges that came with it, and none that was given before', async () => {
    const consents = async ({ id }: RentalState) => {
      const { rows } = await sql<{ at: string; actions: number }>`select consented_at as at,
          (select count(*) from people.audit_entry where subject_id = ${id}
            and action like 'rental.delayed-charge-consent%')::int as actions
        from rentals.delayed_charge_consent where rental_id = ${id}`.execute(t.owner);
      return rows;
    };
    const rental = await desk.reserved();
    await desk.record(rental, { ...OUT, delayedCharges: true });
    expect(await consents(rental)).toHaveLength(1);
    await desk.record(await desk.read(rental.id), undo);
    expect(await consents(rental)).toEqual([]);
    await recordConsent(t.db, AGENT, rental.id, hoursFromNow(-1));
    const given = await consents(rental);
    expect(given).toMatchObject([{ actions: 3 }]);
    const again = { ...OUT, odometerKm: 2_005, delayedCharges: true } as const;
    await desk.record(await desk.read(rental.id), again);
    const out = await desk.read(rental.id);
    await expect(
      transact(t.db, 'rentals_rw', AGENT, (tx) =>
        sql`delete from rentals.delayed_charge_consent where rental_id = ${out.id}`.execute(tx),
      ),
    ).rejects.toMatchObject({ constraint: 'consent_ends_with_its_check_out' });
    await desk.record(out, undo);
    expect(await consents(rental)).toEqual(given);
  });

  test('is refused, and says why: after 15 minutes, after 5 km, with less on the dash', async () => {
    const rental = await desk.handedOut();
    await expect(desk.record(rental, { ...undo, odometerKm: 2_006 })).rejects.toMatchObject({
      code: 'invalid-state',
      details: { odometerOutKm: 2_000 },
    });
    await expect(desk.record(rental, { ...undo, odometerKm: 1_999 })).rejects.toMatchObject({
      code: 'odometer-rollback',
    });
    const late = await earlier(rental, 0.3);
    await expect(desk.record(late, undo)).rejects.toMatchObject({
      code: 'invalid-state',
      details: { undoUntil: expect.any(String) },
    });
    await expect(
      sql`update rentals.rental set status = 'reserved', vehicle_id = null, checked_out_at = null,
        odometer_out_km = null, fuel_out_eighths = null, version = version + 1
        where id = ${rental.id}`.execute(t.owner),
    ).rejects.toMatchObject({ constraint: 'rental_undone_in_time' });
  });
});

describe('a return that is announced', () => {
  test('keeps the vehicle until then at once; who is booked behind waits, price and due time stay', async () => {
    const rental = await earlier(await desk.handedOut(), 50);
    const { branchId } = rental;
    const [from, to] = [hoursFromNow(25), hoursFromNow(40)];
    const behind = await book(t.db, { branchId, from, to });
    const at = hoursFromNow(30);
    const outcome = await desk.record(rental, { type: 'announceReturn', at });
    expect(outcome.reassigned).toMatchObject([{ rentalId: behind.rentalId, vehicleId: null }]);
    expect(await desk.read(rental.id)).toMatchObject({
      announcedReturnAt: at,
      dueAt: rental.dueAt,
      price: rental.price,
    });
    const kept = await spanOf(t.owner, rental.id);
    expect(Date.parse(kept.until)).toBe(Date.parse(at) + 30 * 60_000);
    expect(await spanOf(t.owner, behind.rentalId)).toMatchObject({
      grip: 'unassigned',
      reason: 'overdue',
    });
  });

  test('is where the hourly turn keeps it to, and no turn makes that shorter', async () => {
    const late = await earlier(await desk.handedOut(), 73);
    const at = hoursFromNow(9);
    await desk.record(late, { type: 'announceReturn', at });
    const before = await spanOf(t.owner, late.id);
    const told = await desk.read(late.id);
    await desk.record(told, { type: 'markOverdue' });
    expect((await spanOf(t.owner, late.id)).until).toEqual(before.until);
    const { rows } = await sql<{ until: string }>`select event::jsonb->'data'->>'keptUntil' as until
      from events.outbox where aggregate_id = ${late.id}
        and type = 'forecourt.rental.overdue.v1'`.execute(t.owner);
    expect(rows).toEqual([{ until: at }]);
  });

  test('is forgotten by an extension, which agrees on another due time', async () => {
    const rental = await earlier(await desk.handedOut(), 50);
    await desk.record(rental, { type: 'announceReturn', at: hoursFromNow(30) });
    await desk.record(await desk.read(rental.id), { type: 'extend', dueAt: hoursFromNow(40) });
    expect((await desk.read(rental.id)).announcedReturnAt).toBeNull();
  });

  test('is refused to who is not late, and for more than ten days, by the row alone, too', async () => {
    const rental = await desk.handedOut();
    const say = (hours: number) =>
      attempt(desk.record(rental, { type: 'announceReturn', at: hoursFromNow(hours) }));
    expect(await say(80)).toBe('invalid-state');
    const late = await earlier(rental, 50);
    const far = hoursFromNow(22 + 241);
    const told = desk.record(late, { type: 'announceReturn', at: far });
    expect(await attempt(told)).toBe('invalid-time');
    await expect(
      sql`update rentals.rental set announced_return_at = ${far}, version = version + 1
        where id = ${late.id}`.execute(t.owner),
    ).rejects.toMatchObject({ constraint: 'rental_announced_in_time' });
  });
});

describe('a vehicle that does not come back', () => {
  test('is a mail after 2 hours, a call after 24, a manager’s case after 72: each told once', async () => {
    let rental = await earlier(await desk.handedOut(), 73);
    const turn = async () => {
      await desk.record(rental, { type: 'markOverdue' });
      rental = await desk.read(rental.id);
      return rental.notReturned;
    };
    expect(await turn()).toBeNull();
    rental = await earlier(rental, 1);
    expect([await turn(), await turn()]).toEqual(['mail', 'mail']);
    rental = await earlier(rental, 22);
    expect(await turn()).toBe('call');
    const extended = await desk.record(rental, { type: 'extend', dueAt: hoursFromNow(10) });
    expect(extended).toMatchObject({ type: 'extended' });
    rental = await earlier(await desk.read(rental.id), 83);
    expect([rental.notReturned, await turn()]).toEqual([null, 'manager']);
    const { rows } = await sql<{ step: string }>`select event::jsonb->'data'->>'step' as step
      from events.outbox where aggregate_id = ${rental.id}
        and type = 'forecourt.rental.not-returned.v1' order by id`.execute(t.owner);
    expect(rows.map(({ step }) => step)).toEqual(['mail', 'call', 'manager']);
    await expect(
      sql`update rentals.rental set due_at = now() + interval '9 days', version = version + 1
        where id = ${rental.id}`.execute(t.owner),
    ).rejects.toMatchObject({ constraint: 'rental_case_is_not_extended' });
    const hold = (rentalId: string) =>
      transact(t.db, 'rentals_rw', AGENT, (tx) =>
        sql`insert into rentals.authorisation (id, rental_id, payer, gateway, payment_method,
            amount_minor, currency)
          values (${uuidv7()}, ${rentalId}, 'renter', 'simulated', 'sim_kept', 100,
            'EUR')`.execute(tx),
      );
    const stopped = { constraint: 'authorisation_card_stopped' };
    await expect(hold(rental.id)).rejects.toMatchObject(stopped);
    await desk.record(rental, backOf(rental));
    expect(await desk.read(rental.id)).toMatchObject({ status: 'returned', notReturned: null });
    await hold(rental.id);
  });
});

describe('a vehicle in the key drop', () => {
  const drop = (rental: RentalState, droppedAt: string) =>
    desk.record(rental, { ...BACK, branchId: rental.branchId, droppedAt });
  const BACK = { type: 'checkIn', odometerKm: 2_300, fuelEighths: 6 } as const;

  async function out(keyDrop: boolean, open: boolean): Promise<RentalState> {
    const rental = await earlier(await desk.handedOut(), 30);
    const day = { opens: '00:00', closes: '24:00' };
    const weekly = open ? [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, ...day })) : [];
    const hours = { weekly, keyDrop, outOfHours: null };
    await setOpeningHours(t.db, AGENT, rental.branchId, 1, hours);
    return rental;
  }

  test('came back when it was dropped, as the renter claims: price, row and fact say so', async () => {
    const rental = await out(true, false);
    const at = hoursFromNow(-5);
    await drop(rental, at);
    const back = await desk.read(rental.id);
    expect(back).toMatchObject({ status: 'returned', afterHours: true, checkedInAt: at });
    expect(Date.parse((await spanOf(t.owner, rental.id)).until)).toBeGreaterThan(Date.now());
    const [sides] = await readRentals(t.db, { ids: [rental.id] });
    if (sides === undefined) throw new Error('The proof reads no such rental.');
    const { status, version, vehicleId } = back;
    const workflow = { status, version, vehicleId };
    expect(compareRental({ ...sides, workflow }, hoursFromNow(0))).toEqual([]);
  });

  test('was not dropped before a whole opening, in which somebody would have found it', async () => {
    const rental = await out(true, false);
    const local = localTime(hoursFromNow(-4), 'Europe/Vienna');
    const until = localTime(hoursFromNow(-3), 'Europe/Vienna');
    const period = { opens: local.slice(11, 16), closes: until.slice(11, 16) };
    const weekly = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, ...period }));
    const hours = { weekly, keyDrop: true, outOfHours: null };
    await setOpeningHours(t.db, AGENT, rental.branchId, 2, hours);
    expect(await attempt(drop(rental, hoursFromNow(-5)))).toBe('invalid-time');
    expect((await desk.read(rental.id)).status).toBe('active');
    expect(await drop(rental, hoursFromNow(-2))).toMatchObject({ type: 'checkedIn' });
  });

  test('was not dropped while the branch was open, nor in the future, nor without a key drop', async () => {
    const [open, none, closed] = [
      await out(true, true),
      await out(false, false),
      await out(true, false),
    ];
    const at = hoursFromNow(-5);
    await expect(drop(open, at)).rejects.toMatchObject({ code: 'invalid-time' });
    await expect(drop(none, at)).rejects.toMatchObject({ code: 'branch-closed' });
    for (const wrong of [hoursFromNow(1), hoursFromNow(-31)]) {
      await expect(drop(closed, wrong)).rejects.toMatchObject({ code: 'invalid-time' });
    }
  });
});
