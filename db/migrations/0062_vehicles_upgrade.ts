// The upgrade ladder: which classes a renter may be given instead of the booked one, best first.
import { type Kysely, sql } from 'kysely';

/** A step that is no longer offered keeps its row, without a rank. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.upgrade (
      class_id text not null references vehicles.class,
      next_class_id text not null references vehicles.class,
      rank int check (rank >= 1),
      primary key (class_id, next_class_id),
      constraint upgrade_rank_once unique (class_id, rank),
      constraint upgrade_to_another check (class_id <> next_class_id)
    )`.execute(db);
  await sql`alter table vehicles.upgrade owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on vehicles.upgrade to vehicles_rw`.execute(db);
  await sql`grant select on vehicles.upgrade to api_read`.execute(db);
  await refuseCircles(db);
}

/** Up is never back down: two that change the ladder at once take turns, so neither misses it. */
async function refuseCircles(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.refuse_upgrade_circle() returns trigger language plpgsql
    set search_path = vehicles, pg_temp as $$
    begin
      perform pg_advisory_xact_lock(hashtextextended('vehicles.upgrade', 3));
      perform from (
        with recursive above (id) as (
          select new.next_class_id
          union select u.next_class_id from upgrade u join above a on u.class_id = a.id
          where u.rank is not null)
        select from above where id = new.class_id) circle;
      if found then
        raise exception 'Class % would be an upgrade of itself.', new.class_id
          using errcode = 'check_violation', constraint = 'upgrade_circle';
      end if;
      return new;
    end $$`.execute(db);
  await sql`alter function vehicles.refuse_upgrade_circle() owner to vehicles_rw`.execute(db);
  await sql`create trigger upgrade_circle before insert or update on vehicles.upgrade
    for each row when (new.rank is not null)
    execute function vehicles.refuse_upgrade_circle()`.execute(db);
}
