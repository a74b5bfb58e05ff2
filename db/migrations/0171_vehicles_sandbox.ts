// The sandbox: branches, their books, vehicles, rentals and partners that never meet the live ones.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const BRANCH = 'vehicles.is_sandbox(text)';
const BRANCHES = 'vehicles.branches_of_side(boolean, text[])';
const PARTNER = 'people.is_sandbox(uuid)';
const OF_VEHICLES = sql`set search_path = vehicles, pg_temp
  set enable_seqscan = off set plan_cache_mode = force_generic_plan`;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['vehicles.branch', 'people.partner']) {
    await sql`alter table ${sql.table(table)}
      add column is_sandbox boolean not null default false`.execute(db);
  }
  await tellSides(db);
  await guardBranches(db);
  await guardVehicles(db);
  await guardPartners(db);
  await guardRentals(db);
  await queueNoLetters(db);
}

async function tellSides(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.is_sandbox(p_branch text) returns boolean
    language sql stable security definer ${OF_VEHICLES} as $$
      select is_sandbox from branch where id = p_branch
    $$`.execute(db);
  await sql`
    create function vehicles.branches_of_side(p_sandbox boolean, p_among text[]) returns text[]
    language sql stable security definer ${OF_VEHICLES} as $$
      select coalesce(array_agg(id order by id), '{}') from branch
      where is_sandbox = p_sandbox and (p_among is null or id = any (p_among))
    $$`.execute(db);
  await sql`
    create function people.is_sandbox(p_partner uuid) returns boolean
    language sql stable security definer set search_path = people, pg_temp as $$
      select is_sandbox from partner where id = p_partner
    $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', [BRANCH, BRANCHES]);
  await ownedBy(db, 'people_rw', [PARTNER]);
  await publishedTo(db, 'rentals_rw', [BRANCH, PARTNER]);
  await sql`grant usage on schema vehicles to people_rw`.execute(db);
  await publishedTo(db, 'people_rw', [BRANCHES]);
}

/** A branch keeps its side, and so does the company whose books it is in. */
async function guardBranches(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.guard_branch_side() returns trigger language plpgsql
    ${OF_VEHICLES} as $$
    begin
      -- Two first branches of one company at once: the second waits, and sees the first.
      perform pg_advisory_xact_lock(hashtextextended('side of ' || new.entity_id, 0));
      if exists (select from branch b where b.entity_id = new.entity_id and b.id <> new.id
          and b.is_sandbox <> new.is_sandbox) then
        raise exception 'Company % has branches on the other side of the sandbox.', new.entity_id
          using errcode = 'check_violation', constraint = 'branch_on_its_companys_side';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger branch_side before insert or update of is_sandbox, entity_id
    on vehicles.branch for each row execute function vehicles.guard_branch_side()`.execute(db);
  await refuseChange(db, 'vehicles', 'branch');
}

async function guardPartners(db: Kysely<unknown>): Promise<void> {
  await refuseChange(db, 'people', 'partner');
}

async function refuseChange(db: Kysely<unknown>, schema: string, table: string): Promise<void> {
  const name = sql.id(schema, `refuse_other_${table}_side`);
  const constraint = sql.lit(`${table}_keeps_its_side`);
  const settings = schema === 'vehicles' ? OF_VEHICLES : sql``;
  await sql`
    create function ${name}() returns trigger language plpgsql ${settings} as $$
    begin
      raise exception 'Nothing moves into the sandbox or out of it.'
        using errcode = 'check_violation', constraint = ${constraint};
    end $$`.execute(db);
  await sql`create trigger ${sql.id(`${table}_keeps_its_side`)} before update
    on ${sql.id(schema, table)} for each row when (new.is_sandbox <> old.is_sandbox)
    execute function ${name}()`.execute(db);
}

/** Wherever it goes, by whichever way: its branches are all on one side. */
async function guardVehicles(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.guard_vehicle_side() returns trigger language plpgsql
    ${OF_VEHICLES} as $$
    begin
      if (select count(distinct is_sandbox) from branch
          where id in (new.branch_id, new.home_branch_id,
            case when tg_op = 'UPDATE' then old.branch_id end)) > 1 then
        raise exception 'Vehicle % stays on its side of the sandbox.', new.id
          using errcode = 'check_violation', constraint = 'vehicle_keeps_its_side';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger vehicle_side before insert on vehicles.vehicle
    for each row when (new.branch_id <> new.home_branch_id)
    execute function vehicles.guard_vehicle_side()`.execute(db);
  await sql`create trigger vehicle_side_kept before update on vehicles.vehicle
    for each row when ((old.branch_id, old.home_branch_id)
      is distinct from (new.branch_id, new.home_branch_id))
    execute function vehicles.guard_vehicle_side()`.execute(db);
}

/** Both its branches are on one side, and so is the partner that booked it. */
async function guardRentals(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.guard_rental_side() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    declare
      v_sandbox boolean := vehicles.is_sandbox(new.branch_id);
    begin
      if new.branch_id <> new.return_branch_id
          and vehicles.is_sandbox(new.return_branch_id) <> v_sandbox
        or exists (select from partner_booking b where b.rental_id = new.id
          and people.is_sandbox(b.partner_id) <> v_sandbox) then
        raise exception 'Rental % would be on both sides of the sandbox.', new.id
          using errcode = 'check_violation', constraint = 'rental_on_one_side';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger rental_side before insert on rentals.rental
    for each row execute function rentals.guard_rental_side()`.execute(db);
  await sql`create trigger rental_side_kept before update on rentals.rental
    for each row when ((old.branch_id, old.return_branch_id)
      is distinct from (new.branch_id, new.return_branch_id))
    execute function rentals.guard_rental_side()`.execute(db);
}

/** As in migration 0133, but for rentals of the sandbox, whose renters are nobody's to write to. */
async function queueNoLetters(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.queue_notifications(p_notices jsonb) returns void
    language sql security definer set search_path = rentals, pg_temp as $$
      insert into notification (fact_id, kind, rental_id, subject_id, occasion, fact_at)
      select n."factId", n.kind, n."rentalId", n."subjectId", n.occasion, n."factAt"
      from jsonb_to_recordset(p_notices) as n ("factId" uuid, kind text, "rentalId" uuid,
        "subjectId" uuid, occasion text, "factAt" timestamptz)
      join rental r on r.id = n."rentalId"
      where vehicles.is_sandbox(r.branch_id) is not true
      on conflict do nothing
    $$`.execute(db);
}
