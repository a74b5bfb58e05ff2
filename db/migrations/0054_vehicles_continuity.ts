// A vehicle starts where it was left: proved at each commit, by SQL alone.
import { type Kysely, sql } from 'kysely';

/**
 * Of two neighbouring spans of a vehicle the later one begins at the branch where the earlier one
 * ends; a drive between is a span of its own. What is under way or back is compared with a
 * neighbour that still counts only, because the vehicle has moved on since.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createCheck(db);
  await createTriggers(db);
  await sql`drop function vehicles.still_in_pool(uuid, text, text)`.execute(db);
}

async function createCheck(db: Kysely<unknown>): Promise<void> {
  // Of the two spans that begin at an instant or next after it.
  await sql`
    create function vehicles.check_place(p_vehicle uuid, p_at timestamptz) returns void
    language plpgsql stable set search_path = vehicles, pg_temp as $$
    declare
      v_span record;
    begin
      for v_span in
        select s.id, s.branch_out, case when s.grip = 'tentative'
          then place_before(p_vehicle, lower(s.during))
          else (select case when p.grip = 'out' or upper(p.during) > now() then p.branch_in end
            from span p
            where p.vehicle_id = p_vehicle and p.grip <> 'released'
              and p.kind not in ('block', 'maintenance') and lower(p.during) < lower(s.during)
            order by lower(p.during) desc limit 1) end as place
        from span s
        where s.vehicle_id = p_vehicle and s.grip <> 'released'
          and s.kind not in ('block', 'maintenance') and lower(s.during) >= p_at
          and (s.grip = 'out' or upper(s.during) > now())
        order by lower(s.during) limit 2
      loop
        if v_span.branch_out <> v_span.place then
          raise exception 'Span % starts at %, where its vehicle will not be.',
            v_span.id, v_span.branch_out
            using errcode = 'check_violation', constraint = 'span_location_continuity';
        end if;
      end loop;
    end $$`.execute(db);
  await sql`alter function vehicles.check_place(uuid, timestamptz) owner to vehicles_rw`.execute(
    db,
  );
  await sql`revoke all on function vehicles.check_place(uuid, timestamptz) from public`.execute(db);
}

async function createTriggers(db: Kysely<unknown>): Promise<void> {
  // Under the vehicle's row: who makes it leave a branch is alone, so that two who do not see each
  // other cannot both be right.
  await sql`
    create function vehicles.keep_continuity() returns trigger
    language plpgsql security definer
    set search_path = vehicles, pg_temp
    -- Whoever writes, and in whatever scope: the proof looks at everything.
    set app.principal = 'system:calendar' set app.scope = '*' as $$
    begin
      if new.branch_out <> new.branch_in
        or (tg_op = 'UPDATE' and old.branch_out <> old.branch_in) then
        perform from vehicle where id = new.vehicle_id for no key update;
        if tg_op = 'UPDATE' and old.vehicle_id is distinct from new.vehicle_id then
          perform from vehicle where id = old.vehicle_id for no key update;
        end if;
      else
        perform from vehicle where id = new.vehicle_id for share;
      end if;
      perform check_place(new.vehicle_id, lower(new.during));
      if tg_op = 'UPDATE' then
        perform check_place(old.vehicle_id, lower(old.during));
      end if;
      return null;
    end $$`.execute(db);
  await sql`alter function vehicles.keep_continuity() owner to vehicles_rw`.execute(db);
  await sql`create constraint trigger span_location_continuity
    after insert on vehicles.span deferrable initially deferred
    for each row when (new.vehicle_id is not null and new.kind not in ('block', 'maintenance'))
    execute function vehicles.keep_continuity()`.execute(db);
  // Giving up a span that stays at its branch leaves its neighbours where they are.
  await sql`create constraint trigger span_location_continuity_kept
    after update on vehicles.span deferrable initially deferred
    for each row when (new.kind not in ('block', 'maintenance')
      and (old.vehicle_id, old.branch_out, old.branch_in, old.during, old.grip) is distinct from
        (new.vehicle_id, new.branch_out, new.branch_in, new.during, new.grip)
      and (old.branch_out <> old.branch_in
        or (new.vehicle_id is not null and new.grip <> 'released')))
    execute function vehicles.keep_continuity()`.execute(db);
}
