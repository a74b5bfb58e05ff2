// What spans do when others move: give way, find another vehicle, follow where a vehicle went.
import { type Kysely, sql } from 'kysely';
import { ownedBy } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createLocking(db);
  await replaceAnnounce(db);
  await createFreedBy(db);
  await replacePromote(db);
  await replaceClearWay(db);
  await createSettle(db);
  await createMoveOff(db);
  await ownedBy(db, 'vehicles_rw', [
    'vehicles.lock_itinerary(text, uuid, text)',
    'vehicles.promote(text, text, tstzrange)',
    'vehicles.freed_by(vehicles.span)',
    'vehicles.displace(uuid)',
    'vehicles.clear_way(uuid, tstzrange, boolean)',
    'vehicles.itinerary(uuid)',
    'vehicles.settle(uuid)',
    'vehicles.move_off(uuid)',
  ]);
}

/**
 * Locks every pool that a change of the span may touch, then the span, and answers it: its own at
 * both ends, those of what is booked on its vehicle, and `p_branch`. The pools come before the row:
 * who moves others' spans must never meet one that waits for the pool.
 */
async function createLocking(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.lock_itinerary(p_kind text, p_ref uuid, p_branch text default null)
    returns vehicles.span language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
    begin
      perform lock_pools(array_agg(pool.branch), array_agg(pool.class)) from (
        select unnest(array[s.branch_out, s.branch_in, p_branch]) as branch, s.class_id as class
        from span s where s.kind = p_kind and s.ref = p_ref
        union select unnest(array[s.branch_out, s.branch_in, p_branch]), v.class_id
        from span s join vehicle v on v.id = s.vehicle_id where s.kind = p_kind and s.ref = p_ref
        union select o.branch_out, o.class_id
        from span s join span o on o.vehicle_id = s.vehicle_id
        where s.kind = p_kind and s.ref = p_ref and o.grip = 'tentative'
          and lower(o.during) >= lower(s.during)) pool;
      select * into strict v_span from span where kind = p_kind and ref = p_ref for update;
      return v_span;
    end $$`.execute(db);
  // As every mover of a rental's span has called it.
  await sql`
    create or replace function vehicles.lock_span(p_ref uuid) returns vehicles.span
    language sql set search_path = vehicles, pg_temp as $$
      select * from lock_itinerary('rental', p_ref)
    $$`.execute(db);
}

/**
 * As rows {rentalId, spanId, version, vehicleId, reason}: what the caller tells the moved rentals, once
 * for each version. A quote's holder asks; nobody is told.
 */
async function replaceAnnounce(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function vehicles.announce_spans(p_ids uuid[]) returns jsonb
    language sql set search_path = vehicles, pg_temp as $$
      with told as (
        update span set version = version + 1 where id = any (p_ids) returning *)
      select coalesce(jsonb_agg(jsonb_build_object('rentalId', t.ref, 'spanId', t.id,
        'version', t.version, 'vehicleId', t.vehicle_id, 'reason', t.over_limit_reason))
        filter (where t.kind = 'rental'), '[]') from told t
    $$`.execute(db);
}

/**
 * Waiting demands get what became free: earliest pick-up first, then earliest booking. One that
 * should have begun by now takes what is ready after a turnaround: its renter is at the counter.
 * `p_within` is the time that became free, if that is known: it helps nobody outside of it.
 */
async function replacePromote(db: Kysely<unknown>): Promise<void> {
  await sql`drop function vehicles.promote(text, text)`.execute(db);
  await sql`
    create function vehicles.promote(
      p_branch text, p_class text, p_within tstzrange default null
    ) returns jsonb language plpgsql set search_path = vehicles, pg_temp set app.scope = '*' as $$
    declare
      v_span span;
      v_ready timestamptz;
      v_moved uuid[] := '{}';
    begin
      perform lock_pool(p_branch, p_class);
      for v_span in
        select * from span
        where branch_out = p_branch and class_id = p_class and grip = 'unassigned'
          and (p_within is null or during && p_within)
        order by lower(during), created_at
      loop
        if place_span(v_span.id) is not null then
          v_moved := v_moved || v_span.id;
          continue;
        end if;
        v_ready := now() + make_interval(mins => v_span.turnaround_minutes);
        if v_ready > lower(v_span.during) and v_ready < upper(v_span.during)
          and place_span(v_span.id, false, tstzrange(v_ready, upper(v_span.during))) is not null then
          v_moved := v_moved || v_span.id;
        end if;
      end loop;
      return announce_spans(v_moved);
    end $$`.execute(db);
}

/** What the end or a change of a span may make free: all that follows, when it moved its vehicle. */
async function createFreedBy(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.freed_by(p_span vehicles.span) returns tstzrange
    language sql stable set search_path = vehicles, pg_temp as $$
      select case when p_span.branch_out = p_span.branch_in then p_span.during
        else tstzrange(lower(p_span.during), 'infinity') end
    $$`.execute(db);
}

/** Takes the vehicle from what stands in the way; the caller finds another for it. */
async function replaceClearWay(db: Kysely<unknown>): Promise<void> {
  // A quote may not wait: without a vehicle it is released, until place_span revives it.
  await sql`
    create function vehicles.displace(p_span uuid) returns void
    language sql set search_path = vehicles, pg_temp as $$
      update span set vehicle_id = null,
        grip = case kind when 'quote' then 'released' else 'unassigned' end
      where id = p_span
    $$`.execute(db);
  // Only tentative spans give way; firm rentals too when the vehicle cannot come (p_firm).
  await sql`drop function vehicles.clear_way(uuid, tstzrange)`.execute(db);
  await sql`
    create function vehicles.clear_way(
      p_span uuid, p_during tstzrange, p_firm boolean default false
    ) returns uuid[] language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_ids uuid[];
    begin
      v_ids := array(
        select other.id from span other
        join span own on own.id = p_span and own.vehicle_id = other.vehicle_id
        where other.id <> p_span and other.during && p_during
          and other.kind in ('rental', 'quote') and (other.grip = 'tentative'
            or (p_firm and other.grip = 'firm' and lower(other.during) > lower(own.during)))
        order by lower(other.during), other.created_at);
      perform displace(id) from unnest(v_ids) id;
      return v_ids;
    end $$`.execute(db);
}

/**
 * After a vehicle's journey changed: what is booked on it and does not start where it will be goes
 * to other vehicles; without one it waits beyond the limit, marked 'elsewhere', and a quote ends. A
 * transfer from where the vehicle is not is void. Answers the spans to announce.
 */
async function createSettle(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.itinerary(p_vehicle uuid) returns setof vehicles.span
    language sql stable set search_path = vehicles, pg_temp as $$
      select * from span
      where vehicle_id = p_vehicle and grip <> 'released' and kind not in ('block', 'maintenance')
        and (grip = 'out' or upper(during) > now())
      order by lower(during)
    $$`.execute(db);
  await sql`
    create function vehicles.settle(p_vehicle uuid) returns uuid[]
    language plpgsql set search_path = vehicles, pg_temp set app.scope = '*' as $$
    declare
      v_span span;
      v_id uuid;
      v_moved uuid[] := '{}';
    begin
      perform from vehicle where id = p_vehicle for no key update;
      loop
        select i.* into v_span from itinerary(p_vehicle) i
        where i.grip = 'tentative' and i.branch_out <> place_before(p_vehicle, lower(i.during))
        order by lower(i.during) limit 1;
        exit when not found;
        if v_span.kind = 'transfer' then
          update span set grip = 'released' where id = v_span.id;
        else
          perform displace(v_span.id);
          v_moved := v_moved || v_span.id;
        end if;
      end loop;
      foreach v_id in array v_moved loop
        continue when place_span(v_id) is not null;
        update span set over_limit_reason = 'elsewhere' where id = v_id and kind = 'rental';
      end loop;
      return v_moved;
    end $$`.execute(db);
}

/** What a hard hold keeps from its vehicle goes to others; what finds none stays, for a person. */
async function createMoveOff(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.move_off(p_vehicle uuid) returns jsonb
    language plpgsql set search_path = vehicles, pg_temp set app.scope = '*' as $$
    declare
      v_span span;
      v_moved uuid[] := '{}';
    begin
      perform lock_pools(array_agg(branch_out), array_agg(class_id)) from itinerary(p_vehicle);
      for v_span in
        select * from itinerary(p_vehicle) i
        where i.kind in ('rental', 'quote') and i.grip = 'tentative'
          and blocking_hold(p_vehicle, i.during) is not null
      loop
        begin
          perform displace(v_span.id);
          if place_span(v_span.id) is null then
            raise exception 'nowhere to go' using errcode = 'no_data_found';
          end if;
          v_moved := v_moved || v_span.id;
        exception when no_data_found then
          null; -- it keeps its place
        end;
      end loop;
      return announce_spans(v_moved || settle(p_vehicle));
    end $$`.execute(db);
}
