// A rental's row guards itself: the state machine and its promises once more, in SQL.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { DomainError } from '../../domain/errors.ts';
import type { RentalCommand, RentalState } from '../../domain/rental.ts';
import { billingDesk, onDay } from '../support/billing-desk.ts';
import { guarded, tried } from '../support/broken-guards.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT } from '../support/fleet.ts';
import { backOf, OUT, type RentalDesk, rentalDesk } from '../support/rental-desk.ts';

let t: TestDatabase;
let desk: RentalDesk;
beforeAll(async () => {
  t = await testDatabase();
  desk = await rentalDesk(t);
});

test('a command that only a newer worker knows is no answer of this one', async () => {
  const rental = await desk.reserved();
  const told = desk.record(rental, { type: 'fly' } as unknown as RentalCommand);
  const error: unknown = await told.catch((reason: unknown) => reason);
  // No refusal: the activity is tried again until a worker has it that knows.
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(DomainError);
  expect((await desk.read(rental.id)).version).toBe(1);
});

describe('what the table refuses by itself', () => {
  const update = (id: string, change: string) =>
    transact(t.db, 'rentals_rw', AGENT, (tx) =>
      sql`update rentals.rental set ${sql.raw(change)} where id = ${id}`.execute(tx),
    );

  test.each([
    ['reserved', 'returned'],
    ['reserved', 'closed'],
    ['cancelled', 'reserved'],
    ['cancelled', 'active'],
    ['no_show', 'active'],
    ['active', 'cancelled'],
    ['active', 'closed'],
    ['returned', 'active'],
    ['closed', 'returned'],
  ])('%s → %s', async (from, to) => {
    const rental = await inStatus(from);
    const jump = update(rental.id, `status = '${to}', version = version + 1`);
    await expect(jump).rejects.toMatchObject({ constraint: 'rental_transition' });
  });

  test.each(['version = version', 'version = version + 2', 'version = 1, overdue = false'])(
    'a change with %s',
    async (change) => {
      const rental = await desk.reserved();
      await expect(update(rental.id, change)).rejects.toMatchObject({
        constraint: 'rental_version',
      });
    },
  );

  test('a rental that is out without a vehicle, or back without an invoice', async () => {
    const rental = await desk.reserved();
    await expect(
      update(rental.id, `status = 'active', version = version + 1`),
    ).rejects.toMatchObject({ constraint: 'rental_out_has_vehicle' });
    const active = await desk.handedOut();
    await expect(
      update(active.id, `status = 'returned', version = version + 1`),
    ).rejects.toMatchObject({ constraint: 'rental_back_is_invoiced' });
    await expect(update(rental.id, 'overdue = true, version = version + 1')).rejects.toMatchObject({
      constraint: 'rental_overdue_is_out',
    });
  });

  const KEYS_BACK = `status = 'reserved', checked_out_at = null, odometer_out_km = null,
    fuel_out_eighths = null, vehicle_id = null`;
  const LATER = "due_at = due_at + interval '1 day'";
  const NO_INVOICE = 'invoice_id = null, invoice_number = null';

  test.each([
    ['active', 'rental_announced_later', 'announced_return_at = due_at', ''],
    ['reserved', 'rental_after_hours_is_back', 'after_hours = true', ''],
    ['reserved', 'rental_not_returned_is_out', "not_returned = 'mail'", ''],
    ['active', 'rental_not_returned_check', "not_returned = 'letter'", ''],
    ['active', 'rental_undone_in_time', "status = 'reserved'", ''],
    ['active', 'rental_undone_in_time', `${KEYS_BACK}, overdue = false`, 'overdue = true'],
    ['no_show', 'rental_reinstated_without_fee', `status = 'reserved', ${NO_INVOICE}`, ''],
    ['no_show', 'rental_reinstated_without_fee', "status = 'reserved', fee_minor = null", ''],
    ['active', 'rental_case_is_not_extended', LATER, "not_returned = 'manager'"],
  ])('%s: %s, and nothing else does (%s)', async (from, guard, change, before) => {
    const { id } = await inStatus(from);
    const isTrigger = /undone|reinstated|extended/.test(guard);
    const gone = isTrigger
      ? sql`drop trigger rental_desk on rentals.rental`
      : sql`alter table rentals.rental drop constraint ${sql.id(guard)}`;
    const said = await tried(t.owner, async (tx) => {
      await sql`set local app.principal = 'test'`.execute(tx);
      await sql`set local app.scope = '*'`.execute(tx);
      const set = (what: string) =>
        sql`update rentals.rental set ${sql.raw(what)}, version = version + 1
          where id = ${id}`.execute(tx);
      if (before !== '') await set(before);
      return guarded(tx, () => set(change), gone);
    });
    expect(said[0]).toBe(guard);
    // Out of its state there may be more to say against it.
    expect(said[1]).not.toBe(guard);
  });

  async function inStatus(status: string): Promise<RentalState> {
    const rental = await desk.awaited();
    const steps: Readonly<Record<string, readonly RentalCommand[]>> = {
      reserved: [],
      cancelled: [{ type: 'cancel', reason: 'other' }],
      no_show: [{ type: 'noShow' }],
      active: [OUT],
      returned: [OUT, backOf(rental)],
      closed: [OUT, backOf(rental), { type: 'close' }],
    };
    for (const command of steps[status] ?? [])
      await desk.record(await desk.read(rental.id), command);
    const now = await desk.read(rental.id);
    expect(now.status).toBe(status);
    return now;
  }
});

describe('of cycles that were billed, the tables refuse', () => {
  let rental: RentalState;
  beforeAll(async () => {
    const { outFor, later, bill } = await billingDesk(t);
    rental = await bill(await later(await outFor(65), 30));
  });

  const insert = (cycle: number, from: number, to: number) =>
    transact(t.db, 'rentals_rw', AGENT, (tx) =>
      tx
        .insertInto('rentals.billed_cycle')
        .values({
          ...{ rental_id: rental.id, cycle, currency: 'EUR', vat: '[]', total_minor: 0 },
          service_from: onDay(rental, from),
          service_to: onDay(rental, to),
          tax_point: onDay(rental, to).slice(0, 10),
        })
        .execute(),
    );

  test.each([
    ['a cycle that is not over', 2, 30, 60, 'billed_cycle_is_over'],
    ['a cycle billed before', 1, 0, 30, 'billed_cycle_is_due'],
    ['another end than the rental’s', 2, 30, 59, 'billed_cycle_is_due'],
    ['a number left out', 3, 30, 60, 'billed_cycle_follows'],
    ['a gap between two', 2, 31, 60, 'billed_cycle_follows'],
  ])('%s', async (_what, cycle, from, to, constraint) => {
    await expect(insert(cycle, from, to)).rejects.toMatchObject({ constraint });
  });

  test('another past, and arrears of what is not billed in cycles', async () => {
    const change = (statement: string) =>
      t.owner.transaction().execute((tx) => sql.raw(statement).execute(tx));
    for (const statement of [
      'update rentals.billed_cycle set total_minor = 0',
      'delete from rentals.billed_cycle',
      'truncate rentals.billed_cycle cascade',
    ]) {
      await expect(change(statement)).rejects.toMatchObject({ constraint: 'billed_cycle_stays' });
    }
    const { id } = await desk.reserved();
    const arrears = change(
      `update rentals.rental set version = version + 1, arrears = true where id = '${id}'`,
    );
    await expect(arrears).rejects.toMatchObject({ constraint: 'rental_arrears_are_of_cycles' });
  });
});
