// Rentals that were asked for on request: they keep nothing until a person confirms them.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.rental drop constraint rental_status_check`.execute(db);
  // Apart from the span, which they have none of: the calendar counts nothing for them.
  await sql`
    alter table rentals.rental
      add column answer_by timestamptz,
      add constraint rental_status_check check (status in ('requested', 'reserved', 'active',
        'returned', 'closed', 'cancelled', 'no_show', 'declined', 'expired')),
      add constraint rental_request_has_answer_by
        check (status not in ('requested', 'declined', 'expired') or answer_by is not null),
      add constraint rental_request_has_no_vehicle
        check (status not in ('requested', 'declined', 'expired') or vehicle_id is null),
      add constraint rental_answer_before_pick_up
        check (answer_by <= pick_up_at - interval '2 hours')`.execute(db);
  await replaceTransitions(db);
  // Until a request is confirmed, whoever tries with an override gives the reason for it.
  await sql`grant update (reason, granted_by) on rentals.booking_override to rentals_rw`.execute(
    db,
  );
}

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
        ('active', 'returned'), ('returned', 'closed')) then
        raise exception 'Rental % cannot go from % to %.', old.id, old.status, new.status
          using errcode = 'check_violation', constraint = 'rental_transition';
      end if;
      return new;
    end $$`.execute(db);
}
