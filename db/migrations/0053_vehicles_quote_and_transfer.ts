// Spans that are no rental: a quote that holds a vehicle for a while, a vehicle driven to a branch.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const QUOTES = [
  'vehicles.hold_quote(uuid, text, text, text, timestamptz, timestamptz, timestamptz)',
  'vehicles.release_quote(uuid)',
  'vehicles.accept_quote(uuid, uuid)',
];
const TRANSFERS = [
  'vehicles.place_transfer(uuid, uuid, text, timestamptz, timestamptz)',
  'vehicles.depart_transfer(uuid, timestamptz)',
  'vehicles.arrive_transfer(uuid, timestamptz)',
  'vehicles.cancel_transfer(uuid)',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  await createHoldQuote(db);
  await createAcceptQuote(db);
  await createPlaceTransfer(db);
  await createTransferMoves(db);
  await ownedBy(db, 'vehicles_rw', [...QUOTES, ...TRANSFERS]);
  await publishedTo(db, 'rentals_rw', QUOTES);
}

/**
 * A vehicle kept for a quote until p_held_until, at most until two hours before pick-up; never beyond
 * what is there. Json as take_span's with {heldUntil}; {refused: 'pick-up-too-soon'} when that is past.
 */
async function createHoldQuote(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.hold_quote(
      p_ref uuid, p_class text, p_branch_out text, p_branch_in text,
      p_from timestamptz, p_to timestamptz, p_held_until timestamptz
    ) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_until timestamptz := least(p_held_until, p_from - interval '2 hours');
      v_taken jsonb;
    begin
      if v_until <= now() then return jsonb_build_object('refused', 'pick-up-too-soon'); end if;
      v_taken := take('quote', p_ref, p_class, p_branch_out, p_branch_in, p_from, p_to, v_until);
      return v_taken || jsonb_build_object('heldUntil', to_json(coalesce(
        (select held_until from span where kind = 'quote' and ref = p_ref), v_until)));
    end $$`.execute(db);
  await sql`
    create function vehicles.release_quote(p_ref uuid) returns jsonb
    language sql security definer set search_path = vehicles, pg_temp as $$
      select release('quote', p_ref)
    $$`.execute(db);
}

/**
 * The quote's place becomes the rental's. Json as take_span's, or {refused: 'quote-expired', free}:
 * its time is over or it lost its vehicle, and `free` tells whether another quote could be held now.
 */
async function createAcceptQuote(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.accept_quote(p_quote uuid, p_rental uuid) returns jsonb
    language plpgsql security definer set search_path = vehicles, pg_temp as $$
    declare
      v_span span;
      v_vehicle uuid;
    begin
      perform pg_advisory_xact_lock(hashtextextended(p_rental::text, 0));
      select * into v_span from span where kind = 'rental' and ref = p_rental;
      if found then
        return terms_of(v_span.class_id, v_span.branch_out, v_span.branch_in)
          || jsonb_build_object('vehicleId', v_span.vehicle_id, 'existing', true);
      end if;
      v_span := lock_itinerary('quote', p_quote);
      if v_span.grip <> 'tentative' or v_span.held_until <= now() then
        return jsonb_build_object('refused', 'quote-expired', 'free', v_span.grip = 'tentative'
          or exists (select from free_vehicles(v_span.branch_out, v_span.branch_in,
            v_span.class_id, v_span.during)));
      end if;
      -- The rental's events count from its own first one.
      update span set kind = 'rental', ref = p_rental, held_until = null, version = 0
      where id = v_span.id returning vehicle_id into v_vehicle;
      return terms_of(v_span.class_id, v_span.branch_out, v_span.branch_in)
        || jsonb_build_object('vehicleId', v_vehicle, 'allocation', 'assigned');
    end $$`.execute(db);
}

/**
 * Plans a drive of one vehicle to another branch, for at least the travel time of that pair. Json
 * {spanId, branchOut, until, existing} or {refused: 'vehicle-unavailable'}; {unknown: 'vehicle' |
 * 'branch'}. What is booked on the vehicle later must start where it arrives.
 */
async function createPlaceTransfer(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.place_transfer(
      p_ref uuid, p_vehicle uuid, p_branch_in text, p_from timestamptz, p_to timestamptz
    ) returns jsonb language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_vehicle vehicle;
      v_span span;
      v_out text;
      v_turnaround int;
      v_during tstzrange;
    begin
      perform pg_advisory_xact_lock(hashtextextended(p_ref::text, 0));
      select * into v_span from span where kind = 'transfer' and ref = p_ref;
      if found then
        return jsonb_build_object('spanId', v_span.id, 'branchOut', v_span.branch_out,
          'until', to_json(upper(v_span.during)), 'existing', true);
      end if;
      select * into v_vehicle from vehicle where id = p_vehicle for no key update;
      if not found then return jsonb_build_object('unknown', 'vehicle'); end if;
      select turnaround_minutes into v_turnaround from branch where id = p_branch_in;
      if not found then return jsonb_build_object('unknown', 'branch'); end if;
      v_out := place_before(p_vehicle, p_from);
      v_during := tstzrange(p_from, greatest(coalesce(p_to, p_from),
        p_from + make_interval(mins => travel_minutes(v_out, p_branch_in)))
        + make_interval(mins => v_turnaround));
      if v_out = p_branch_in or isempty(v_during) or exists (select from span s
          where s.vehicle_id = p_vehicle and s.during && v_during and s.grip <> 'released')
        or not is_back_by(p_vehicle, p_from)
        or coalesce(next_place(p_vehicle, upper(v_during)), p_branch_in) <> p_branch_in then
        return jsonb_build_object('refused', 'vehicle-unavailable');
      end if;
      insert into span (kind, ref, class_id, branch_out, branch_in, during, turnaround_minutes,
        vehicle_id, grip)
      values ('transfer', p_ref, v_vehicle.class_id, v_out, p_branch_in, v_during, v_turnaround,
        p_vehicle, 'tentative') returning * into v_span;
      return jsonb_build_object('spanId', v_span.id, 'branchOut', v_out,
        'until', to_json(upper(v_during)), 'existing', false,
        'moved', promote(p_branch_in, v_vehicle.class_id));
    end $$`.execute(db);
}

/** Each answers {vehicleId, moved}; what is refused is {refused: 'vehicle-unavailable'}. */
async function createTransferMoves(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.depart_transfer(p_ref uuid, p_at timestamptz) returns jsonb
    language plpgsql set search_path = vehicles, pg_temp as $$
    declare
      v_span span := lock_itinerary('transfer', p_ref);
    begin
      if v_span.grip <> 'tentative' or not is_here(v_span.vehicle_id, v_span) then
        return jsonb_build_object('refused', 'vehicle-unavailable');
      end if;
      update span set grip = 'out', during = tstzrange(p_at, greatest(upper(during), p_at
        + make_interval(mins => turnaround_minutes, secs => 1))) where id = v_span.id;
      return jsonb_build_object('vehicleId', v_span.vehicle_id, 'moved', '[]'::jsonb);
    exception when exclusion_violation then
      return jsonb_build_object('refused', 'vehicle-unavailable');
    end $$`.execute(db);
  await sql`
    create function vehicles.arrive_transfer(p_ref uuid, p_at timestamptz) returns jsonb
    language plpgsql set search_path = vehicles, pg_temp set app.scope = '*' as $$
    declare
      v_span span := lock_itinerary('transfer', p_ref);
      v_next timestamptz;
      v_class text;
    begin
      select min(lower(s.during)) into v_next from span s
      where s.vehicle_id = v_span.vehicle_id and s.grip <> 'released'
        and lower(s.during) > lower(v_span.during);
      update span set grip = 'firm', during = tstzrange(lower(during),
        least(p_at + make_interval(mins => turnaround_minutes), v_next)) where id = v_span.id;
      update vehicle set branch_id = v_span.branch_in where id = v_span.vehicle_id
      returning class_id into v_class;
      return jsonb_build_object('vehicleId', v_span.vehicle_id,
        'moved', promote(v_span.branch_in, v_class));
    end $$`.execute(db);
  await sql`
    create function vehicles.cancel_transfer(p_ref uuid) returns jsonb
    language sql set search_path = vehicles, pg_temp as $$
      select release('transfer', p_ref)
    $$`.execute(db);
}
