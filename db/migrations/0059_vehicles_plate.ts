// Plates over time: who had which one when, as a fine that comes weeks later has to know.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createPlate(db);
  await createKeeping(db);
  await sql`insert into vehicles.plate (vehicle_id, plate, jurisdiction, valid)
    select id, plate, plate_jurisdiction, tstzrange(created_at, null) from vehicles.vehicle
    where status not in ('sold', 'written_off', 'returned_to_supplier')`.execute(db);
  // The plate of a vehicle that has left may serve another one: the periods decide.
  await sql`alter table vehicles.vehicle drop constraint vehicle_plate_key`.execute(db);
  await sql`create index vehicle_plate on vehicles.vehicle (plate)`.execute(db);
}

/** People write a plate with spaces, hyphens and dots in different places; none of them counts. */
async function createPlate(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.plate_key(p_plate text) returns text
    language sql immutable strict parallel safe as $$
      select upper(regexp_replace(normalize(p_plate, NFKC), '[\\s.·•_-]', '', 'g')
        collate pg_catalog.pg_c_utf8)
    $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', ['vehicles.plate_key(text)']);
  await publishedTo(db, 'api_read', ['vehicles.plate_key(text)']);
  await sql`
    create table vehicles.plate (
      id uuid primary key default uuidv7(),
      vehicle_id uuid not null references vehicles.vehicle,
      plate text not null,
      plate_key text not null generated always as (vehicles.plate_key(plate)) stored
        check (plate_key <> ''),
      jurisdiction text not null,
      valid tstzrange not null check (not isempty(valid)),
      constraint plate_one_vehicle_at_a_time
        exclude using gist (plate_key with =, jurisdiction with =, valid with &&)
    )`.execute(db);
  await sql`create unique index plate_one_at_a_time on vehicles.plate (vehicle_id)
    where upper_inf(valid)`.execute(db);
  await sql`create index plate_of_vehicle on vehicles.plate (vehicle_id, lower(valid))`.execute(db);
  await sql`alter table vehicles.plate owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on vehicles.plate to vehicles_rw`.execute(db);
  // Of a period only its end is ever written, or all of it in the transaction that opened it.
  await sql`grant update (plate, jurisdiction, valid) on vehicles.plate to vehicles_rw`.execute(db);
  await sql`grant select on vehicles.plate to api_read`.execute(db);
  await sql`alter table vehicles.plate enable row level security`.execute(db);
  // Whoever may see the vehicle; the sub-select obeys the vehicle's own policy.
  await sql`create policy in_scope on vehicles.plate
    using (exists (select from vehicles.vehicle v where v.id = vehicle_id))
    with check (exists (select from vehicles.vehicle v where v.id = vehicle_id))`.execute(db);
}

/** Follows the column vehicle.plate; a vehicle that leaves the fleet gives its plate back. */
async function createKeeping(db: Kysely<unknown>): Promise<void> {
  // By statement: a fleet that is imported costs one insert more, not one a vehicle.
  await sql`
    create function vehicles.open_plates() returns trigger language plpgsql
    set search_path = vehicles, pg_temp as $$
    begin
      insert into plate (vehicle_id, plate, jurisdiction, valid)
      select id, plate, plate_jurisdiction, tstzrange(now(), null) from added
      where status not in ('sold', 'written_off', 'returned_to_supplier');
      return null;
    end $$`.execute(db);
  await sql`alter function vehicles.open_plates() owner to vehicles_rw`.execute(db);
  await sql`create trigger vehicle_plate_opened after insert on vehicles.vehicle
    referencing new table as added
    for each statement execute function vehicles.open_plates()`.execute(db);
  await sql`
    create function vehicles.keep_plate() returns trigger language plpgsql
    set search_path = vehicles, pg_temp as $$
    declare
      v_left constant text[] := '{sold,written_off,returned_to_supplier}';
    begin
      if new.plate = old.plate and new.plate_jurisdiction = old.plate_jurisdiction
        and not (new.status = any (v_left) and not old.status = any (v_left)) then
        return null;
      end if;
      -- Opened in this very transaction: nobody has seen it.
      update plate set plate = new.plate, jurisdiction = new.plate_jurisdiction
      where vehicle_id = new.id and upper_inf(valid) and lower(valid) >= now();
      if found then return null; end if;
      update plate set valid = tstzrange(lower(valid), now())
      where vehicle_id = new.id and upper_inf(valid);
      if not new.status = any (v_left) then
        insert into plate (vehicle_id, plate, jurisdiction, valid)
        values (new.id, new.plate, new.plate_jurisdiction, tstzrange(now(), null));
      end if;
      return null;
    end $$`.execute(db);
  await sql`alter function vehicles.keep_plate() owner to vehicles_rw`.execute(db);
  await sql`create trigger vehicle_plate_changed
    after update of plate, plate_jurisdiction, status on vehicles.vehicle
    for each row execute function vehicles.keep_plate()`.execute(db);
}
