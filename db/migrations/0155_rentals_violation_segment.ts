// Tolls and fines go to the segment whose vehicle was seen: before an exchange, or after it.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await replaceGuard(db);
  await replaceCandidates(db);
  // Who had a vehicle when is asked of segment_by_vehicle now.
  await sql`drop index rentals.rental_by_vehicle`.execute(db);
}

/** As migration 0129 made it, but for the vehicle, which is the segment's of that time. */
async function replaceGuard(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.guard_violation() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    begin
      if tg_op = 'INSERT' then
        if new.status not in ('queued', 'matched') then
          raise exception 'A violation begins queued or matched.'
            using errcode = 'check_violation', constraint = 'violation_begins';
        end if;
      elsif new.version <> old.version + 1 or (old.status, new.status) not in (
          ('queued', 'matched'), ('queued', 'dismissed'), ('matched', 'dismissed'),
          ('matched', 'settled')) then
        raise exception 'Violation % cannot go from % to %.', old.id, old.status, new.status
          using errcode = 'check_violation', constraint = 'violation_transition';
      end if;
      if new.status in ('matched', 'settled') and not exists (
          select from rental r join segment s on s.rental_id = r.id
          where r.id = new.rental_id and r.customer_id = new.customer_id
            and r.branch_id = new.branch_id and r.entity_id = new.entity_id
            and s.vehicle_id = new.vehicle_id and (
              (s.from_at <= new.at and new.at < coalesce(s.to_at, 'infinity'))
              or (s.from_at <= new.or_at and new.or_at < coalesce(s.to_at, 'infinity')))) then
        raise exception 'Rental % had no vehicle then.', new.rental_id
          using errcode = 'check_violation', constraint = 'violation_rental_had_it';
      end if;
      return new;
    end $$`.execute(db);
}

/** As migration 0129 made it, by the segments' own records. */
async function replaceCandidates(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.violation_candidates(
      p_plate text, p_jurisdiction text, p_instants timestamptz[]
    ) returns table (at timestamptz, vehicle_id uuid, rental_id uuid)
    language sql stable set search_path = rentals, pg_temp set app.scope = '*' as $$
      select i.at, h.vehicle_id, s.rental_id
      from unnest(p_instants) i (at)
      cross join lateral (
        select vehicles.plate_holder(p_plate, p_jurisdiction, i.at) as vehicle_id) h
      left join segment s on s.vehicle_id = h.vehicle_id and s.from_at <= i.at
        and i.at < coalesce(s.to_at, 'infinity')
      order by i.at, s.rental_id
    $$`.execute(db);
}
