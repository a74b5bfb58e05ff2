// Flights that renters come by: a delay keeps the vehicle longer, and the number goes with the person.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.rental add column delay_minutes int not null default 0
    constraint rental_delay_within_a_day check (delay_minutes between 0 and 1440)`.execute(db);
  await createFlight(db);
  await guardDelay(db);
}

/** Apart from the rental: a number and a day name a journey, so it travels nowhere. */
async function createFlight(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.flight (
      rental_id uuid primary key references rentals.rental,
      flight_number text not null constraint flight_number_is_one
        check (flight_number ~ '^([A-Z]{2}|[A-Z][0-9]|[0-9][A-Z])[1-9][0-9]{0,3}[A-Z]?$'),
      told_at timestamptz not null default now()
    )`.execute(db);
  await sql`alter table rentals.flight owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update, delete on rentals.flight to rentals_rw`.execute(db);
  await sql`grant select on rentals.flight to api_read`.execute(db);
  const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or exists (select from rentals.rental p where p.id = rental_id)`;
  await sql`alter table rentals.flight enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.flight using (${rule}) with check (${rule})`.execute(
    db,
  );
}

/** Nobody's vehicle is kept longer but for a flight, and only while somebody is waited for. */
async function guardDelay(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_delay() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    begin
      if old.status not in ('requested', 'reserved') then
        raise exception 'Nobody waits for the renter of % any more.', old.id
          using errcode = 'check_violation', constraint = 'rental_delay_in_time';
      end if;
      if new.delay_minutes > 0 and not exists (select from flight where rental_id = new.id) then
        raise exception 'The delay of rental % is no flight''s.', old.id
          using errcode = 'check_violation', constraint = 'rental_delay_has_flight';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger rental_delay before update on rentals.rental
    for each row when (new.delay_minutes <> old.delay_minutes)
    execute function rentals.refuse_delay()`.execute(db);
}
