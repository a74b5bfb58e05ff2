// What is only asked for keeps nothing in the calendar, whichever of the two rows comes first.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const IS_UNBOOKED = 'rentals.is_unbooked(uuid)';
const KEEPS_SPAN = 'vehicles.keeps_span(uuid)';

/**
 * Deferred, because a confirmation takes the span before it writes the status. Both look under the
 * lock by which vehicles.take keeps two runs of one request apart: the later commit sees the other.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`grant usage on schema rentals to vehicles_rw`.execute(db);
  await createQuestions(db);
  await createSpanTrigger(db);
  await createRentalTrigger(db);
}

/** Owned by the owner of the tables: a person's branches must not decide what a guard sees. */
async function createQuestions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.is_unbooked(p_rental uuid) returns boolean
    language sql stable security definer set search_path = rentals, pg_temp as $$
      select exists (select from rental
        where id = p_rental and status in ('requested', 'declined', 'expired'))
    $$`.execute(db);
  await sql`
    create function vehicles.keeps_span(p_rental uuid) returns boolean
    language sql stable security definer
    set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
      select exists (select from span
        where kind = 'rental' and ref = p_rental and grip <> 'released')
    $$`.execute(db);
  await ownedBy(db, 'forecourt_owner', [IS_UNBOOKED, KEEPS_SPAN]);
  await publishedTo(db, 'vehicles_rw', [IS_UNBOOKED]);
  await publishedTo(db, 'rentals_rw', [KEEPS_SPAN]);
}

async function createSpanTrigger(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.refuse_unbooked_span() returns trigger
    language plpgsql security definer
    set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    begin
      perform pg_advisory_xact_lock(hashtextextended(new.ref::text, 0));
      if rentals.is_unbooked(new.ref) and keeps_span(new.ref) then
        raise exception 'Rental % is only asked for: it keeps nothing.', new.ref
          using errcode = 'check_violation', constraint = 'span_of_booked_rental';
      end if;
      return null;
    end $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', ['vehicles.refuse_unbooked_span()']);
  await publishedTo(db, 'vehicles_rw', [KEEPS_SPAN]);
  for (const [name, when, on] of [
    ['span_of_booked_rental', 'insert', `true`],
    [
      'span_again_of_booked_rental',
      'update of kind, ref, grip',
      `(old.kind, old.ref, old.grip = 'released') is distinct from
        (new.kind, new.ref, new.grip = 'released')`,
    ],
  ] as const) {
    await sql`create constraint trigger ${sql.id(name)}
      after ${sql.raw(when)} on vehicles.span deferrable initially deferred
      for each row when (new.kind = 'rental' and new.grip <> 'released' and ${sql.raw(on)})
      execute function vehicles.refuse_unbooked_span()`.execute(db);
  }
}

async function createRentalTrigger(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_booked_request() returns trigger
    language plpgsql security definer set search_path = rentals, pg_temp as $$
    begin
      perform pg_advisory_xact_lock(hashtextextended(new.id::text, 0));
      if vehicles.keeps_span(new.id) and is_unbooked(new.id) then
        raise exception 'Rental % has a span: it is more than asked for.', new.id
          using errcode = 'check_violation', constraint = 'rental_request_keeps_nothing';
      end if;
      return null;
    end $$`.execute(db);
  await ownedBy(db, 'rentals_rw', ['rentals.refuse_booked_request()']);
  await publishedTo(db, 'rentals_rw', [IS_UNBOOKED]);
  await sql`create constraint trigger rental_request_keeps_nothing
    after insert or update of status on rentals.rental deferrable initially deferred
    for each row when (new.status in ('requested', 'declined', 'expired'))
    execute function rentals.refuse_booked_request()`.execute(db);
}
