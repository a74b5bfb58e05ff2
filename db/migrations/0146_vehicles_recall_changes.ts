// What may become known of a recall later: its remedy, and another time from which it blocks.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // What repairs a vehicle, for people; which vehicles are meant never changes.
  await sql`alter table vehicles.recall add column remedy text check (remedy <> '')`.execute(db);
  await sql`grant update (remedy, is_remedy_available, deadline_at, hard_at)
    on vehicles.recall to vehicles_rw`.execute(db);
  await sql`
    create function vehicles.guard_recall_times() returns trigger language plpgsql
    set search_path = vehicles, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    begin
      raise exception 'The deadline of recall % has come.', old.id
        using errcode = 'check_violation', constraint = 'recall_times_until_its_deadline';
    end $$`.execute(db);
  await sql`alter function vehicles.guard_recall_times() owner to vehicles_rw`.execute(db);
  await sql`revoke all on function vehicles.guard_recall_times() from public`.execute(db);
  await sql`create trigger recall_times before update on vehicles.recall
    for each row when (old.grounded_at is not null
      and (old.deadline_at, old.hard_at) is distinct from (new.deadline_at, new.hard_at))
    execute function vehicles.guard_recall_times()`.execute(db);
}
