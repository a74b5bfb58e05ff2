// Old readings of devices may go, where a newer one of the same segment says more.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const FORGET = 'vehicles.forget_readings(bigint, timestamptz, int)';
const OUTLIVED = 'vehicles.reading_outlived(bigint, timestamptz, text)';

/**
 * No partitions by time: a reading is known again by its meter, which no partition of a month could
 * hold unique. What goes is found by the same index (meter, time) and goes in small batches.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createOutlived(db);
  await replaceGuard(db);
  await createForget(db);
  // Owned by the owner role: the domain itself may not delete what was read.
  await ownedBy(db, 'forecourt_owner', [FORGET, OUTLIVED]);
  await publishedTo(db, 'vehicles_rw', [FORGET]);
}

/** Whether an accepted reading of the meter came after it, in its segment (and of its code). */
async function createOutlived(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.reading_outlived(p_meter bigint, p_at timestamptz, p_code text)
    returns boolean language sql stable as $$
      select exists (select from vehicles.reading n
        where n.meter_id = p_meter and n.code = p_code and n.state = 'accepted'
          and n.taken_at > p_at
          and not exists (select from vehicles.meter_segment s where s.meter_id = p_meter
            and s.from_at > p_at and s.from_at <= n.taken_at))
    $$`.execute(db);
}

/**
 * The average of 90 days, and every contract's km, rest on readings that stay: nothing young goes,
 * nothing of the dash, and never the newest.
 */
async function replaceGuard(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function vehicles.guard_reading() returns trigger language plpgsql
    set search_path = vehicles, pg_temp as $$
    begin
      if tg_op = 'DELETE' then
        if old.taken_at < now() - interval '100 days'
          and reading_outlived(old.meter_id, old.taken_at, old.code)
          and exists (select from meter m where m.id = old.meter_id and m.source <> 'dash') then
          return old;
        end if;
        raise exception 'Readings are voided, never deleted.' using errcode = 'restrict_violation';
      end if;
      if old.state = 'void' or (old.id, old.meter_id, old.kind, old.taken_at, old.value, old.code,
          old.origin, old.external_id, old.recorded_by, old.recorded_at)
        is distinct from (new.id, new.meter_id, new.kind, new.taken_at, new.value, new.code,
          new.origin, new.external_id, new.recorded_by, new.recorded_at) then
        raise exception 'Reading % is what was read.', old.id
          using errcode = 'check_violation', constraint = 'reading_is_kept';
      end if;
      return new;
    end $$`.execute(db);
}

/** Of one meter, at most so many older ones; answers how many. What a person decided on stays. */
async function createForget(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.forget_readings(p_meter bigint, p_before timestamptz, p_most int)
    returns int language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_gone int;
    begin
      delete from reading where id in (
        select r.id from reading r
        where r.meter_id = p_meter and r.taken_at < p_before
          and reading_outlived(r.meter_id, r.taken_at, r.code)
          and not exists (select from reading_review w where w.id = r.id)
        order by r.taken_at limit p_most);
      get diagnostics v_gone = row_count;
      return v_gone;
    end $$`.execute(db);
}
