// What whoever moves a rental's money asks first: that it stays as it is, and what is on its way out.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const HOLD = 'rentals.hold_rental(uuid)';
const UNDER_WAY = 'rentals.refunds_under_way(uuid)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createHoldRental(db);
  await createRefundsUnderWay(db);
  await ownedBy(db, 'rentals_rw', [HOLD, UNDER_WAY]);
  await publishedTo(db, 'accounting_rw', [HOLD, UNDER_WAY]);
}

/**
 * Its status, and what secures it beyond its need, in minor units; null where it needs nothing, as
 * before the keys go out and after. Neither changes until the caller is done. No row: no rental.
 */
async function createHoldRental(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.hold_rental(p_rental uuid)
    returns table (status text, spare_minor bigint)
    language plpgsql volatile security definer set search_path = rentals, pg_temp
    set app.scope = '*' as $$
    declare
      v_rental rental;
    begin
      select * into v_rental from rental where id = p_rental for no key update;
      if not found then return; end if;
      status := v_rental.status;
      if status = 'active' and v_rental.deposit_minor > 0 then
        perform accounting.lock_money(p_rental);
        spare_minor := deposit_secured(p_rental) - refunds_under_way(p_rental)
          - v_rental.deposit_minor;
      end if;
      return next;
    end $$`.execute(db);
}

/** Minor units that a gateway was asked to give back, and has not said what became of it. */
async function createRefundsUnderWay(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refunds_under_way(p_rental uuid) returns bigint
    language plpgsql volatile security definer set search_path = rentals, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      return (select coalesce(sum(p.amount_minor), 0) from authorisation a
        join payment_attempt p on p.authorisation_id = a.id
        where a.rental_id = p_rental and p.kind = 'refund' and p.state = 'unknown');
    end $$`.execute(db);
}
