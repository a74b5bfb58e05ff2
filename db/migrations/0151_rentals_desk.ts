// What a desk does daily, in a rental's row: walk-ups, announced returns, drops after hours, the ladder.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table rentals.rental
      add column walk_up boolean not null default false,
      add column announced_return_at timestamptz,
      add column after_hours boolean not null default false,
      add column not_returned text
        check (not_returned in ('mail', 'call', 'manager')),
      add constraint rental_announced_later check (announced_return_at > due_at),
      add constraint rental_after_hours_is_back
        check (not after_hours or status in ('returned', 'closed')),
      add constraint rental_not_returned_is_out
        check (not_returned is null or status = 'active')`.execute(db);
  await sql`create index rental_not_returned on rentals.rental (return_branch_id, due_at)
    where not_returned is not null`.execute(db);
  await replaceTransitions(db);
  await guardDesk(db);
}

/** Two ways back: keys that came back at once, and a no-show who came after all. */
async function replaceTransitions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.refuse_transition() returns trigger language plpgsql as $$
    begin
      if new.version <> old.version + 1 then
        raise exception 'Rental % goes from version % to %.', old.id, old.version, new.version
          using errcode = 'check_violation', constraint = 'rental_version';
      end if;
      if new.status <> old.status and (old.status, new.status) not in (
        ('requested', 'reserved'), ('requested', 'declined'), ('requested', 'expired'),
        ('requested', 'cancelled'),
        ('reserved', 'active'), ('reserved', 'cancelled'), ('reserved', 'no_show'),
        ('active', 'reserved'), ('no_show', 'reserved'),
        ('active', 'returned'), ('returned', 'closed')) then
        raise exception 'Rental % cannot go from % to %.', old.id, old.status, new.status
          using errcode = 'check_violation', constraint = 'rental_transition';
      end if;
      return new;
    end $$`.execute(db);
}

/** For whatever reaches the row without passing the domain (decisions.md 5 and 29). */
async function guardDesk(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_desk_change() returns trigger language plpgsql as $$
    begin
      if old.status = 'active' and new.status = 'reserved' and (
        now() > old.checked_out_at + interval '15 minutes' or old.overdue
        or num_nonnulls(new.checked_out_at, new.odometer_out_km, new.fuel_out_eighths,
          new.vehicle_id) > 0) then
        raise exception 'The check-out of rental % cannot be undone any more.', old.id
          using errcode = 'check_violation', constraint = 'rental_undone_in_time';
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
  await sql`create trigger rental_desk before update on rentals.rental
    for each row execute function rentals.refuse_desk_change()`.execute(db);
}
