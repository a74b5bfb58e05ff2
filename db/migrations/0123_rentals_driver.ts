// Drivers of a rental, and what a driver of each class must bring: ages, years of licence, classes.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.driver_rule (
      -- A vehicle class, or * for those without a rule of their own.
      class_id text primary key check (class_id ~ '^([A-Z]{4}|\\*)$'),
      min_age int not null check (min_age between 14 and 99),
      max_age int check (max_age between min_age and 120),
      -- Younger ones may drive and are marked: the plan's age bands say what it costs.
      young_below_age int not null check (young_below_age >= min_age),
      min_held_months int not null check (min_held_months between 0 and 120),
      licence_class text not null check (licence_class ~ '^[A-Z0-9]{1,4}$'),
      version int not null default 1,
      created_at timestamptz not null default now()
    )`.execute(db);
  await own(db, 'rentals.driver_rule');
  await sql`insert into rentals.driver_rule
    (class_id, min_age, young_below_age, min_held_months, licence_class)
    values ('*', 18, 25, 12, 'B')`.execute(db);
  await createDrivers(db);
  await refuseBlockedDrivers(db);
}

/**
 * The age is told in whole years at a pick-up, because a birth date lies sealed and is opened only
 * where somebody names the driver; another pick-up time asks for a new look.
 */
async function createDrivers(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.rental_driver (
      rental_id uuid not null references rentals.rental,
      customer_id uuid not null references rentals.customer,
      age_at_pick_up int check (age_at_pick_up between 0 and 130),
      judged_pick_up_at timestamptz not null,
      ended_at timestamptz,
      override_reason text check (override_reason <> ''),
      override_by text,
      override_at timestamptz,
      -- What is let pass, and for a licence that ends too early: until which due date.
      override_of text[],
      override_due_on date,
      version int not null default 1,
      created_at timestamptz not null default now(),
      primary key (rental_id, customer_id),
      constraint rental_driver_override_whole
        check (num_nulls(override_reason, override_by, override_at, override_of,
          override_due_on) in (0, 5))
    )`.execute(db);
  await sql`create index rental_driver_customer on rentals.rental_driver (customer_id)`.execute(db);
  await own(db, 'rentals.rental_driver');
  const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or exists (select from rentals.rental p where p.id = rental_id)`;
  await sql`alter table rentals.rental_driver enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.rental_driver
    using (${rule}) with check (${rule})`.execute(db);
}

/** Who is blocked is no driver either: not when named, and not when the keys go out. */
async function refuseBlockedDrivers(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_driver() returns trigger language plpgsql as $$
    declare
      v_drivers uuid[];
      v_blocked uuid;
    begin
      if tg_table_name = 'rental_driver' then
        v_drivers := array[new.customer_id];
      else
        v_drivers := array(select d.customer_id from rentals.rental_driver d
          where d.rental_id = new.id and d.ended_at is null);
      end if;
      select c.id into v_blocked from rentals.customer c
      where c.id = any (v_drivers) and exists (select from rentals.customer_block b
          where b.customer_id = coalesce(c.merged_into, c.id) and b.lifted_at is null
            and (b.until is null or b.until > now()))
      limit 1;
      if v_blocked is not null then
        raise exception 'Customer % is blocked.', v_blocked
          using errcode = 'check_violation', constraint = 'rental_customer_blocked',
            detail = v_blocked::text;
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger rental_driver_named before insert or update on rentals.rental_driver
    for each row when (new.ended_at is null) execute function rentals.refuse_driver()`.execute(db);
  await sql`create trigger rental_drivers_out before update of status on rentals.rental
    for each row when (old.status = 'reserved' and new.status = 'active')
    execute function rentals.refuse_driver()`.execute(db);
}

async function own(db: Kysely<unknown>, table: string): Promise<void> {
  const name = sql.table(table);
  await sql`alter table ${name} owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on ${name} to rentals_rw`.execute(db);
  await sql`grant select on ${name} to api_read`.execute(db);
}
