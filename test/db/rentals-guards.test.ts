// A rental's row guards itself: the state machine and its promises once more, in SQL.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import type { RentalCommand, RentalState } from '../../domain/rental.ts';
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
