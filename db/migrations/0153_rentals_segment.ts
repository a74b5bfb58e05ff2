// The vehicles that a rental has had, one after the other: out, exchanged, back, without a gap.
import { type Kysely, sql } from 'kysely';
import { ownedBy } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createSegment(db);
  await backfill(db);
  await keepInStep(db);
  await guardChain(db);
}

/**
 * `reason` says why a vehicle took the place of the one before; the first has none. A paid upgrade
 * names the plan that its class is priced by.
 */
async function createSegment(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.segment (
      id uuid primary key default uuidv7(),
      rental_id uuid not null references rentals.rental,
      vehicle_id uuid not null,
      reason text check (reason in ('breakdown', 'upgrade', 'customer', 'fleet')),
      branch_out text not null,
      from_at timestamptz not null,
      odometer_out_km int not null check (odometer_out_km >= 0),
      fuel_out_eighths int not null check (fuel_out_eighths between 0 and 8),
      branch_in text,
      to_at timestamptz check (to_at >= from_at),
      odometer_in_km int check (odometer_in_km >= odometer_out_km),
      fuel_in_eighths int check (fuel_in_eighths between 0 and 8),
      upgrade_plan_id text,
      upgrade_plan_version int,
      foreign key (upgrade_plan_id, upgrade_plan_version) references rentals.rate_plan,
      constraint segment_back_whole
        check (num_nulls(branch_in, to_at, odometer_in_km, fuel_in_eighths) in (0, 4)),
      constraint segment_upgrade_whole
        check (num_nulls(upgrade_plan_id, upgrade_plan_version) in (0, 2)),
      constraint segment_one_at_a_time
        exclude using gist (rental_id with =, tstzrange(from_at, to_at) with &&)
    )`.execute(db);
  await sql`create index segment_of_rental on rentals.segment (rental_id, from_at)`.execute(db);
  await sql`create index segment_by_vehicle on rentals.segment (vehicle_id, from_at)`.execute(db);
  await sql`alter table rentals.segment owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on rentals.segment to rentals_rw`.execute(db);
  await sql`grant select on rentals.segment to api_read`.execute(db);
  await sql`alter table rentals.segment enable row level security`.execute(db);
  const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or exists (select from rentals.rental p where p.id = rental_id)`;
  await sql`create policy in_scope on rentals.segment
    using (${rule}) with check (${rule})`.execute(db);
}

/** Until now a rental had one vehicle. */
async function backfill(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into rentals.segment (rental_id, vehicle_id, branch_out, from_at, odometer_out_km,
      fuel_out_eighths, branch_in, to_at, odometer_in_km, fuel_in_eighths)
    select id, vehicle_id, branch_id, checked_out_at, odometer_out_km, fuel_out_eighths,
      case when status <> 'active' then return_branch_id end,
      case when status <> 'active' then checked_in_at end,
      case when status <> 'active' then odometer_in_km end,
      case when status <> 'active' then fuel_in_eighths end
    from rentals.rental where status in ('active', 'returned', 'closed')`.execute(db);
}

/**
 * The first segment begins and the last one ends with the rental's own row, whoever writes that: no
 * way out or back can forget it. An undone check-out leaves none; after an exchange it is too late.
 */
async function keepInStep(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.keep_segments() returns trigger language plpgsql
    -- As the tables' owner: nobody else may delete the segment of an undone check-out.
    security definer set search_path = rentals, pg_temp as $$
    declare
      v_was_out boolean := tg_op = 'UPDATE' and old.status in ('active', 'returned', 'closed');
    begin
      if not v_was_out then
        insert into segment (rental_id, vehicle_id, branch_out, from_at, odometer_out_km,
          fuel_out_eighths)
        values (new.id, new.vehicle_id, new.branch_id, new.checked_out_at, new.odometer_out_km,
          new.fuel_out_eighths);
      elsif new.status not in ('active', 'returned', 'closed') then
        if (select count(*) from segment where rental_id = new.id) > 1 then
          raise exception 'Rental % has had another vehicle.', new.id
            using errcode = 'check_violation', constraint = 'segment_exchanged';
        end if;
        delete from segment where rental_id = new.id;
        return null;
      elsif new.checked_out_at <> old.checked_out_at then
        update segment set from_at = new.checked_out_at
        where rental_id = new.id and from_at = old.checked_out_at;
      end if;
      if new.status <> 'active' then
        update segment set to_at = new.checked_in_at, branch_in = new.return_branch_id,
          odometer_in_km = new.odometer_in_km, fuel_in_eighths = new.fuel_in_eighths
        where rental_id = new.id
          and from_at = (select max(from_at) from segment where rental_id = new.id);
      end if;
      return null;
    end $$`.execute(db);
  await ownedBy(db, 'forecourt_owner', ['rentals.keep_segments()']);
  await sql`create trigger rental_segments_begin after insert on rentals.rental
    for each row when (new.status in ('active', 'returned', 'closed'))
    execute function rentals.keep_segments()`.execute(db);
  await sql`create trigger rental_segments_follow after update on rentals.rental
    for each row when ((new.status in ('active', 'returned', 'closed')
        or old.status in ('active', 'returned', 'closed'))
      and (old.status, old.checked_out_at, old.checked_in_at, old.odometer_in_km,
        old.fuel_in_eighths) is distinct from
        (new.status, new.checked_out_at, new.checked_in_at, new.odometer_in_km,
        new.fuel_in_eighths)) execute function rentals.keep_segments()`.execute(db);
}

/** At commit: from check-out to check-in one after the other, the last of the vehicle of now. */
async function guardChain(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.check_segments() returns trigger
    language plpgsql security definer
    set search_path = rentals, pg_temp
    -- Whoever writes, and in whatever scope: the proof looks at everything.
    set app.principal = 'system:rentals' set app.scope = '*' as $$
    declare
      v_id uuid;
      v_whole boolean;
    begin
      if tg_table_name = 'rental' then v_id := new.id;
      elsif tg_op = 'DELETE' then v_id := old.rental_id;
      else v_id := new.rental_id; end if;
      select case when r.status not in ('active', 'returned', 'closed') then count(s.id) = 0
        else count(s.id) > 0 and min(s.from_at) = r.checked_out_at
          and bool_and(s.from_at = coalesce(s.before, r.checked_out_at))
          and bool_and(s.is_last or s.to_at is not null)
          and bool_and(not s.is_last or (s.vehicle_id = r.vehicle_id
            and (s.to_at is null) = (r.status = 'active')
            and (s.to_at is null or s.to_at = r.checked_in_at))) end into v_whole
      from rental r left join (
        select *, lag(to_at) over w as before, lead(id) over w is null as is_last
        from segment where rental_id = v_id window w as (order by from_at, to_at)) s on true
      where r.id = v_id group by r.id;
      if not v_whole then
        raise exception 'The vehicles of rental % do not follow each other.', v_id
          using errcode = 'check_violation', constraint = 'segment_chain';
      end if;
      return null;
    end $$`.execute(db);
  await ownedBy(db, 'rentals_rw', ['rentals.check_segments()']);
  await sql`create constraint trigger segment_chain
    after insert or update or delete on rentals.segment deferrable initially deferred
    for each row execute function rentals.check_segments()`.execute(db);
  await sql`create constraint trigger rental_segment_chain
    after update of vehicle_id on rentals.rental deferrable initially deferred
    for each row when (old.vehicle_id is not null and old.vehicle_id <> new.vehicle_id)
    execute function rentals.check_segments()`.execute(db);
}
