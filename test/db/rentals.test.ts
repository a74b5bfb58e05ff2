// A rental's commands on the real database: all of a fact or nothing of it, and each fact once.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { reserveRental } from '../../db/commands/reservations.ts';
import { rentalById, rentalByNumber } from '../../db/queries/rentals.ts';
import type { RentalCommand, RentalState } from '../../domain/rental.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, CLASS, hour, PERSON, plantFleet, spanOf } from '../support/fleet.ts';
import { backOf, OUT, type RentalDesk, rentalDesk } from '../support/rental-desk.ts';

/** Sees everything. */
const READER = 'system:test';

let t: TestDatabase;
let desk: RentalDesk;
beforeAll(async () => {
  t = await testDatabase();
  desk = await rentalDesk(t);
});

async function factsOf(rentalId: string) {
  const { rows } = await sql<{ seq: number; type: string; event: string }>`select seq, type, event
    from events.outbox where aggregate_id = ${rentalId} order by id`.execute(t.owner);
  return rows;
}

async function auditOf(subjectId: string) {
  const { rows } = await sql<{ action: string; actor: string }>`select action, actor
    from people.audit_entry where subject_id = ${subjectId} order by at, id`.execute(t.owner);
  return rows;
}

describe('a reservation', () => {
  test('writes rental, span, event and audit row', async () => {
    const rental = await desk.reserved();
    expect(rental).toMatchObject({ status: 'reserved', version: 1 });
    expect(await desk.read(rental.id)).toEqual(rental);
    expect(await rentalByNumber(t.db, READER, rental.number)).toEqual(rental);
    expect(await spanOf(t.owner, rental.id)).toMatchObject({ vehicleId: rental.vehicleId });
    expect(await factsOf(rental.id)).toMatchObject([
      { seq: 1, type: 'forecourt.rental.reserved.v1' },
    ]);
    expect(await auditOf(rental.id)).toEqual([{ action: 'rental.reserve', actor: AGENT }]);
  });

  test('is priced by the plan in force: three days are 150.00 and 20 % VAT', async () => {
    const { price } = await desk.reserved(hour(0), hour(72));
    expect(price).toMatchObject({ netMinor: 15_000, vatMinor: 3_000, totalMinor: 18_000 });
  });

  test('that fails at its last step leaves nothing, whichever step it was', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const request = { id: uuidv7(), branchId, classId: CLASS, customerId: uuidv7() };
    const times = { pickUpAt: hour(0), dueAt: hour(10) };
    await expect(reserveRental(t.db, AGENT, { ...request, ...times })).rejects.toMatchObject({
      code: 'not-found',
      details: { of: 'customer' },
    });
    await sql`create function people.fail() returns trigger language plpgsql as $$
      begin raise exception 'no audit'; end $$`.execute(t.owner);
    await sql`create trigger fail before insert on people.audit_entry for each row
      execute function people.fail()`.execute(t.owner);
    const good = { ...request, ...times, customerId: desk.customerId };
    await expect(reserveRental(t.db, AGENT, good)).rejects.toThrow('no audit');
    await sql`drop trigger fail on people.audit_entry`.execute(t.owner);
    await expect(spanOf(t.owner, request.id)).rejects.toThrow('no span');
    expect(await rentalById(t.db, READER, request.id)).toBeUndefined();
    expect(await factsOf(request.id)).toEqual([]);
    expect(await auditOf(request.id)).toEqual([]);
  });

  test('repeated, also at once, is the same rental, told once', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 3 });
    const ids = { id: uuidv7(), branchId, classId: CLASS, customerId: desk.customerId };
    const request = { ...ids, pickUpAt: hour(0), dueAt: hour(10) };
    const reserve = () => reserveRental(t.db, AGENT, request);
    const answers = await Promise.all([reserve(), reserve(), reserve(), reserve()]);
    answers.push(await reserve());
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await factsOf(ids.id)).toHaveLength(1);
    expect(await auditOf(ids.id)).toHaveLength(1);
  });
});

describe('a command', () => {
  test('repeated answers the first outcome and happens once, also at once', async () => {
    const rental = await desk.reserved();
    const commandId = uuidv7();
    const check = () => desk.record(rental, OUT, { commandId });
    const outcomes = await Promise.all([check(), check(), check()]);
    outcomes.push(await check());
    expect(new Set(outcomes.map((outcome) => JSON.stringify(sorted(outcome)))).size).toBe(1);
    expect(await desk.read(rental.id)).toMatchObject({ status: 'active', version: 2 });
    expect(await factsOf(rental.id)).toHaveLength(2);
    expect(await auditOf(rental.id)).toHaveLength(2);
  });

  test('decided on an older version is refused and changes nothing', async () => {
    const rental = await desk.handedOut();
    await expect(desk.record(rental, backOf(rental), { version: 1 })).rejects.toMatchObject({
      code: 'version-conflict',
      details: { version: 2 },
    });
    expect(await desk.read(rental.id)).toEqual(rental);
  });

  test('of two decided on one version, one is carried out', async () => {
    const rental = await desk.reserved();
    const results = await Promise.allSettled([
      desk.record(rental, OUT),
      desk.record(rental, { type: 'cancel', reason: 'customer' }),
    ]);
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await desk.read(rental.id)).version).toBe(2);
  });

  test('that the calendar refuses leaves the rental as it was', async () => {
    const rental = await desk.reserved();
    await expect(desk.record(rental, { ...OUT, odometerKm: 1 })).rejects.toMatchObject({
      code: 'odometer-rollback',
    });
    expect(await desk.read(rental.id)).toEqual(rental);
    expect(await factsOf(rental.id)).toHaveLength(1);
  });

  test('for a rental that does not exist is named', async () => {
    const rental = { ...(await desk.reserved()), id: uuidv7() };
    await expect(desk.record(rental, OUT)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('a whole rental', () => {
  const walk: readonly ((rental: RentalState) => RentalCommand)[] = [
    () => OUT,
    () => ({ type: 'remind' }),
    (rental) => ({ type: 'extend', dueAt: later(rental.dueAt, 48) }),
    () => ({ type: 'markOverdue' }),
    backOf,
    () => ({ type: 'close' }),
  ];

  async function walked(): Promise<RentalState> {
    let rental = await desk.reserved();
    for (const command of walk) {
      await desk.record(rental, command(rental));
      rental = await desk.read(rental.id);
    }
    return rental;
  }

  test('tells its facts with sequence numbers from 1 without a gap', async () => {
    const rental = await walked();
    expect(rental).toMatchObject({ status: 'closed', version: 7 });
    const facts = await factsOf(rental.id);
    expect(facts.map((fact) => fact.seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(facts.map((fact) => fact.type.split('.')[2])).toEqual([
      ...['reserved', 'checked-out', 'return-reminder', 'extended', 'overdue', 'checked-in'],
      'closed',
    ]);
    for (const { seq, event } of facts) {
      expect(JSON.parse(event)).toMatchObject({ sequence: String(seq), subject: rental.id });
    }
  });

  test('tells nobody anything personal, in events, audit rows or outcomes', async () => {
    const rental = await walked();
    const { rows } = await sql<{ text: string }>`
      select event as text from events.outbox
      union all select to_jsonb(a)::text from people.audit_entry a
      union all select to_jsonb(c)::text from rentals.command c
      union all select to_jsonb(r)::text from rentals.rental r`.execute(t.owner);
    expect(rows.length).toBeGreaterThan(20);
    for (const value of Object.values(PERSON)) {
      expect(rows.filter(({ text }) => text.includes(value))).toEqual([]);
    }
    expect(rows.some(({ text }) => text.includes(rental.customerId))).toBe(true);
  });
});

describe('check-in', () => {
  test('posts one balanced invoice to receivables and names it', async () => {
    const rental = await desk.handedOut();
    const outcome = await desk.record(rental, backOf(rental));
    const returned = await desk.read(rental.id);
    expect(outcome).toMatchObject({ type: 'checkedIn', invoiceNumber: returned.invoiceNumber });
    const { rows } = await sql`select count(distinct e.id) as entries, count(*) as lines,
        sum(l.amount)::bigint as balance, sum(l.base_amount)::bigint as base,
        sum(l.amount) filter (where a.code = '1200')::bigint as receivable
      from accounting.entry e join accounting.line l on l.entry_id = e.id
      join accounting.account a on a.id = l.account_id
      where e.rental_id = ${rental.id}`.execute(t.owner);
    // Back within the first day: 50.00, 100 of 300 km over 25.00, two eighths 25.20, VAT 20.04.
    expect(rows).toEqual([{ entries: 1, lines: 3, balance: 0, base: 0, receivable: 12_024 }]);
    expect(returned).toMatchObject({ status: 'returned', price: { totalMinor: 12_024 } });
    const invoices = await sql`select id, total_minor from accounting.invoice
      where rental_id = ${rental.id}`.execute(t.owner);
    expect(invoices.rows).toEqual([{ id: returned.invoiceId, total_minor: 12_024 }]);
  });

  test('frees the vehicle a turnaround later', async () => {
    const rental = await desk.handedOut();
    const { at } = await desk.record(rental, backOf(rental));
    const span = await spanOf(t.owner, rental.id);
    expect(span).toMatchObject({ grip: 'firm', until: later(at, 0.5) });
  });
});

describe('giving up', () => {
  test.each([
    [{ type: 'cancel', reason: 'customer' } as const, 'cancelled'],
    [{ type: 'noShow' } as const, 'no_show'],
  ])('%o releases the vehicle', async (command, status) => {
    const rental = await desk.awaited();
    await desk.record(rental, command);
    expect(await desk.read(rental.id)).toMatchObject({ status, vehicleId: null });
    expect(await spanOf(t.owner, rental.id)).toMatchObject({ grip: 'released' });
  });
});

function later(instant: string, hours: number): string {
  return new Date(Date.parse(instant) + hours * 3_600_000).toISOString();
}

/** jsonb does not keep the order of keys. */
function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
