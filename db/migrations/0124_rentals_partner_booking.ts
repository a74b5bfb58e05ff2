// Bookings of partners: each under the partner's own reference, which names one rental for ever.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.partner_booking (
      partner_id uuid not null,
      external_reference text not null
        check (external_reference ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$'),
      -- Told apart from another booking under the same reference; nothing of it can be read here.
      request_hash bytea not null,
      customer_id uuid not null references rentals.customer,
      -- Of the attempt that runs or took place; after a refusal the next one has another.
      rental_id uuid not null unique,
      created_at timestamptz not null default now(),
      primary key (partner_id, external_reference)
    )`.execute(db);
  await sql`alter table rentals.partner_booking owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on rentals.partner_booking to rentals_rw`.execute(db);
  await sql`grant update (rental_id) on rentals.partner_booking to rentals_rw`.execute(db);
  await sql`grant select on rentals.partner_booking to api_read`.execute(db);
  await keepRentals(db);
  const known = sql`coalesce(current_setting('app.principal', true), '') <> ''`;
  const scope = sql`current_setting('app.scope', true)`;
  const rule = sql`(select ${known} and ${scope} = '*')
    or 'partner:' || partner_id = (select case when ${known} then ${scope} end)`;
  await sql`alter table rentals.partner_booking enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.partner_booking
    using (${rule}) with check (${rule})`.execute(db);
}

/** A reference that has its rental keeps it: no retransmission makes a second one. */
async function keepRentals(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_other_rental() returns trigger language plpgsql as $$
    begin
      if exists (select from rentals.rental where id = old.rental_id) then
        raise exception 'Booking % has its rental.', old.external_reference
          using errcode = 'check_violation', constraint = 'partner_booking_keeps_rental';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger partner_booking_keeps_rental before update on rentals.partner_booking
    for each row when (new.rental_id <> old.rental_id)
    execute function rentals.refuse_other_rental()`.execute(db);
}
