// The terms of its branch's desk that a rental keeps from its booking on, and the guards that read them.
import { type Kysely, sql } from 'kysely';

/** Those of before there were settings: what rentals that exist were agreed with. */
const BEFORE = {
  undoMinutes: 15,
  undoKm: 5,
  notReturnedMailHours: 2,
  notReturnedCallHours: 24,
  notReturnedManagerHours: 72,
  earlyCheckOutMinutes: 60,
};

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.rental add column desk_terms jsonb not null
    default ${sql.lit(JSON.stringify(BEFORE))}`.execute(db);
  await guardDesk(db);
}

/** As before, by the rental's own terms; and keys go out, and late returns are announced, in time. */
async function guardDesk(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.refuse_desk_change() returns trigger language plpgsql as $$
    begin
      if old.status = 'reserved' and new.status = 'active' and new.checked_out_at
        < new.pick_up_at - make_interval(mins => (old.desk_terms->>'earlyCheckOutMinutes')::int)
      then
        raise exception 'The keys of rental % go out too early.', old.id
          using errcode = 'check_violation', constraint = 'rental_out_in_time';
      end if;
      if old.status = 'active' and new.status = 'reserved' and (
        now() > old.checked_out_at
          + make_interval(mins => (old.desk_terms->>'undoMinutes')::int) or old.overdue
        or num_nonnulls(new.checked_out_at, new.odometer_out_km, new.fuel_out_eighths,
          new.vehicle_id) > 0) then
        raise exception 'The check-out of rental % cannot be undone any more.', old.id
          using errcode = 'check_violation', constraint = 'rental_undone_in_time';
      end if;
      if new.announced_return_at is distinct from old.announced_return_at
        and new.announced_return_at > new.due_at + interval '240 hours' then
        raise exception 'The return of rental % is announced for too late.', old.id
          using errcode = 'check_violation', constraint = 'rental_announced_in_time';
      end if;
      if old.status = 'no_show' and new.status = 'reserved'
        and num_nonnulls(new.fee_minor, new.invoice_id, new.invoice_number) > 0 then
        raise exception 'Rental % is reinstated with its fee.', old.id
          using errcode = 'check_violation', constraint = 'rental_reinstated_without_fee';
      end if;
      if old.status = 'active' and old.not_returned = 'manager' and new.due_at > old.due_at then
        raise exception 'Rental % is a manager''s case and is not extended.', old.id
          using errcode = 'check_violation', constraint = 'rental_case_is_not_extended';
      end if;
      return new;
    end $$`.execute(db);
}
