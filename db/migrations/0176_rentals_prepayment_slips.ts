// Prepayments in the drawer: admitted as any payment there, their slips counted with the shift's.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const SLIPS = 'rentals.card_slips(uuid)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await admitPrepayment(db);
  await createSlips(db);
  await freeOfCharge(db);
  await countPaidDeposits(db);
}

async function admitPrepayment(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.admit_prepayment() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    begin
      perform accounting.admit_tender((select entity_id from rental where id = new.rental_id),
        new.rental_id, new.tender, new.shift_id, new.amount_minor);
      return new;
    end $$`.execute(db);
  await sql`create trigger admit_prepayment before insert on rentals.prepayment
    for each row execute function rentals.admit_prepayment()`.execute(db);
}

/** Of a shift, by the terminal's batch. */
async function createSlips(db: Kysely<unknown>): Promise<void> {
  await sql`create index prepayment_slip on rentals.prepayment (shift_id)
    where tender = 'card'`.execute(db);
  await sql`
    create function rentals.card_slips(p_shift uuid)
    returns table (batch text, slips bigint, amount bigint)
    language plpgsql stable security definer set search_path = rentals, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      return query select terminal_batch, count(*), sum(amount_minor)::bigint from prepayment
        where shift_id = p_shift and tender = 'card' group by 1;
    end $$`.execute(db);
  await ownedBy(db, 'rentals_rw', [SLIPS]);
  await sql`grant usage on schema rentals to accounting_rw`.execute(db);
  await publishedTo(db, 'accounting_rw', [SLIPS]);
}

/** What cost nothing, as after a discount of the whole price, has no document. */
async function freeOfCharge(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.rental drop constraint rental_back_is_invoiced,
    add constraint rental_back_is_invoiced check (status not in ('returned', 'closed')
      or (checked_in_at is not null and odometer_in_km is not null
        and fuel_in_eighths is not null and (invoice_id is not null or total_minor = 0)))`.execute(
    db,
  );
}

/** As in 0174, and a deposit in cash or by transfer secures as well as a card. */
async function countPaidDeposits(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.deposit_secured(p_rental uuid) returns bigint
    language sql stable set search_path = rentals, pg_temp as $$
      select coalesce((select sum(amount_minor) from authorisation a where rental_id = p_rental
          and purpose = 'deposit' and state = 'open' and replaced_by is null
          and valid_until > now() and not exists (select from payment_attempt p
            where p.authorisation_id = a.id and p.state = 'unknown'
              and p.kind in ('release', 'capture'))), 0)::bigint
        + coalesce((select sum(amount_minor) from deposit_waiver
          where rental_id = p_rental), 0)::bigint
        + accounting.deposit_paid(p_rental)
    $$`.execute(db);
}
