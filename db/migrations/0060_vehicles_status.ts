// The status machine in the database: which state may follow which, and what keeps a vehicle.
import { type Kysely, sql } from 'kysely';
import { ownedBy } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createLiveSpans(db);
  await createTransitions(db);
}

/** What the calendar still counts on of a vehicle; permanent blocks of its own are left out. */
async function createLiveSpans(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.live_spans(p_vehicle uuid) returns setof vehicles.span
    language sql stable set search_path = vehicles, pg_temp as $$
      select * from span
      where vehicle_id = p_vehicle and grip <> 'released' and kind <> 'block'
        and (grip = 'out' or upper(during) > now())
      order by lower(during)
    $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', ['vehicles.live_spans(uuid)']);
}

/**
 * The same table as domain/vehicle.ts. The update holds the vehicle's row when this looks, so a
 * booking either is seen here or comes later and finds the vehicle withdrawn.
 */
async function createTransitions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.check_status() returns trigger language plpgsql
    set search_path = vehicles, pg_temp as $$
    begin
      if not (old.status || '>' || new.status) = any ('{
        ordered>preparing, in_service>preparing, preparing>in_service, held_for_sale>in_service,
        in_service>held_for_sale, held_for_sale>sold, preparing>written_off,
        in_service>written_off, held_for_sale>written_off, preparing>returned_to_supplier,
        in_service>returned_to_supplier}'::text[]) then
        raise exception 'A vehicle that is % does not become %.', old.status, new.status
          using errcode = 'check_violation', constraint = 'vehicle_status_transition';
      end if;
      if (new.status in ('held_for_sale', 'sold') and new.ownership <> 'owned')
        or (new.status = 'returned_to_supplier' and new.ownership = 'owned') then
        raise exception 'A vehicle that is % does not become %.', new.ownership, new.status
          using errcode = 'check_violation', constraint = 'vehicle_status_ownership';
      end if;
      perform from live_spans(new.id)
      where new.status <> 'in_service'
        and (new.status <> 'preparing' or kind not in ('maintenance', 'transfer'));
      if found then
        raise exception 'Vehicle % is out or booked.', new.id
          using errcode = 'check_violation', constraint = 'vehicle_status_booked';
      end if;
      return new;
    end $$`.execute(db);
  await sql`alter function vehicles.check_status() owner to vehicles_rw`.execute(db);
  await sql`create trigger vehicle_status_transition before update of status on vehicles.vehicle
    for each row when (new.status <> old.status) execute function vehicles.check_status()`.execute(
    db,
  );
  await sql`alter table vehicles.vehicle add constraint vehicle_held_for_sale check (
    (status <> 'held_for_sale' or held_for_sale_at is not null)
    and (held_for_sale_at is null or status in ('in_service', 'held_for_sale', 'sold',
      'written_off')))`.execute(db);
}
