// What the register knows of a vehicle: its VIN, energy, home, owner, supplier and acquisition.
import { type Kysely, sql } from 'kysely';
import { ownedBy } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createVinRule(db);
  await sql`
    alter table vehicles.vehicle
      add column vin text
        constraint vehicle_vin_key unique
        constraint vehicle_vin_form check (vin ~ '^[A-HJ-NPR-Z0-9]{17}$')
        constraint vehicle_vin_check_digit
          check (vin !~ '^[1-5][A-HJ-NPR-Z0-9]{16}$'
            or substr(vin, 9, 1) = vehicles.vin_check_digit(vin)),
      add column energy text check (energy in ('petrol', 'diesel', 'hybrid', 'plug_in', 'electric',
        'hydrogen', 'lpg', 'ethanol')),
      add column tank_litres int check (tank_litres between 1 and 2000),
      add column battery_kwh float8 check (battery_kwh > 0 and battery_kwh <= 2000),
      add column home_branch_id text references vehicles.branch,
      add column plate_jurisdiction text not null default 'ZZ'
        check (plate_jurisdiction ~ '^[A-Z]{2}(-[A-Z0-9]{1,3})?$'),
      add column ownership text not null default 'owned'
        check (ownership in ('owned', 'leased', 'sub_rented')),
      add column supplier text check (supplier <> ''),
      add column sub_rented_from timestamptz,
      add column sub_rented_until timestamptz,
      add column off_hire_notice_days int check (off_hire_notice_days between 0 and 90),
      add column cost_per_day_minor bigint check (cost_per_day_minor >= 0),
      add column cost_currency text check (cost_currency ~ '^[A-Z]{3}$'),
      add column acquired_on date,
      add column acquisition_cost_minor bigint check (acquisition_cost_minor >= 0),
      add column acquisition_currency text check (acquisition_currency ~ '^[A-Z]{3}$'),
      add column residual_minor bigint,
      add column available_for_use_on date,
      add column held_for_sale_at timestamptz,
      -- The newest command that changed the status: its repeat is known by it.
      add column status_command_id uuid,
      add constraint vehicle_tank_or_battery check ((tank_litres is null or energy <> 'electric')
        and (battery_kwh is null
          or energy in ('hybrid', 'plug_in', 'electric', 'hydrogen'))),
      add constraint vehicle_supplier_named check (ownership = 'owned' or supplier is not null),
      add constraint vehicle_sub_rental_window check (
        num_nulls(sub_rented_from, sub_rented_until, off_hire_notice_days, cost_per_day_minor,
          cost_currency) = case when ownership = 'sub_rented' then 0 else 5 end
        and (ownership <> 'sub_rented' or sub_rented_from
          < sub_rented_until - make_interval(hours => 24 * off_hire_notice_days))),
      -- A sub-rented vehicle is never an asset of ours.
      add constraint vehicle_acquisition check (
        num_nulls(acquired_on, acquisition_cost_minor, acquisition_currency) in (0, 3)
        and (ownership <> 'sub_rented' or acquired_on is null)
        and (residual_minor is null or residual_minor between 0 and acquisition_cost_minor)
        and (available_for_use_on is null or available_for_use_on >= acquired_on))`.execute(db);
  await sql`update vehicles.vehicle set home_branch_id = branch_id`.execute(db);
  await sql`alter table vehicles.vehicle alter column home_branch_id set not null`.execute(db);
  await createHome(db);
}

/** As domain/vin.ts has it; the same value for each VIN is what a CHECK needs. */
async function createVinRule(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.vin_check_digit(p_vin text) returns text
    language sql immutable strict parallel safe as $$
      select case total % 11 when 10 then 'X' else (total % 11)::text end
      from (
        select sum(weight * substr(translate(p_vin, 'ABCDEFGHJKLMNPRSTUVWXYZ',
          '12345678123457923456789'), at::int, 1)::int) as total
        from unnest('{8,7,6,5,4,3,2,10,0,9,8,7,6,5,4,3,2}'::int[]) with ordinality as w (weight, at)
      ) summed
    $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', ['vehicles.vin_check_digit(text)']);
}

/** A vehicle is at home where it was registered, unless its home is named. */
async function createHome(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.at_home_where_registered() returns trigger language plpgsql as $$
    begin
      new.home_branch_id := coalesce(new.home_branch_id, new.branch_id);
      return new;
    end $$`.execute(db);
  await sql`alter function vehicles.at_home_where_registered() owner to vehicles_rw`.execute(db);
  await sql`create trigger vehicle_home before insert on vehicles.vehicle
    for each row execute function vehicles.at_home_where_registered()`.execute(db);
}
