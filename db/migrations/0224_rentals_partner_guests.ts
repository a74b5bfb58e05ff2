// Guests of partners: on the partner's side of the sandbox, and compared with whom we know already.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.customer
    add column is_sandbox boolean not null default false`.execute(db);
  await sql`update rentals.customer c set is_sandbox = true
    from rentals.partner_booking b join people.partner p on p.id = b.partner_id
    where b.customer_id = c.id and p.is_sandbox`.execute(db);
  await keepSides(db);
  await guardRentals(db);
  await recordDoubles(db);
}

/** A record keeps its side, and leads to none of the other. */
async function keepSides(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.guard_customer_side() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    begin
      if new.is_sandbox <> old.is_sandbox or exists (select from customer c
          where c.id = new.merged_into and c.is_sandbox <> new.is_sandbox) then
        raise exception 'Customer % stays on its side of the sandbox.', new.id
          using errcode = 'check_violation', constraint = 'customer_keeps_its_side';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger customer_side before update on rentals.customer
    for each row when (new.is_sandbox <> old.is_sandbox
      or new.merged_into is distinct from old.merged_into)
    execute function rentals.guard_customer_side()`.execute(db);
}

/** As in migration 0171, and nobody of the sandbox rents, or pays for, a vehicle of the live fleet. */
async function guardRentals(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function rentals.guard_rental_side() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    declare
      v_sandbox boolean := vehicles.is_sandbox(new.branch_id);
    begin
      if new.branch_id <> new.return_branch_id
          and vehicles.is_sandbox(new.return_branch_id) <> v_sandbox
        or exists (select from partner_booking b where b.rental_id = new.id
          and people.is_sandbox(b.partner_id) <> v_sandbox)
        or not v_sandbox and exists (select from customer c
          where c.id in (new.customer_id, new.payer_id) and c.is_sandbox) then
        raise exception 'Rental % would be on both sides of the sandbox.', new.id
          using errcode = 'check_violation', constraint = 'rental_on_one_side';
      end if;
      return new;
    end $$`.execute(db);
}

/**
 * What a partner enters nobody at a counter sees: whom it may be is written down for somebody who
 * merges the two or says that they differ. Codes and ids; names stay with the customers.
 */
async function recordDoubles(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.possible_duplicate (
      customer_id uuid not null references rentals.customer,
      other_id uuid not null references rentals.customer,
      by text[] not null check (cardinality(by) > 0),
      found_at timestamptz not null default now(),
      dismissed_at timestamptz,
      dismissed_by text,
      primary key (customer_id, other_id),
      constraint possible_duplicate_of_another check (customer_id <> other_id),
      constraint possible_duplicate_dismissed_whole
        check (num_nulls(dismissed_at, dismissed_by) in (0, 2))
    )`.execute(db);
  await sql`create index possible_duplicate_open on rentals.possible_duplicate
    (customer_id, other_id) where dismissed_at is null`.execute(db);
  await sql`alter table rentals.possible_duplicate owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on rentals.possible_duplicate to rentals_rw`.execute(db);
  await sql`grant update (dismissed_at, dismissed_by) on rentals.possible_duplicate
    to rentals_rw`.execute(db);
  await sql`grant select on rentals.possible_duplicate to api_read`.execute(db);
  const known = sql`coalesce(current_setting('app.principal', true), '') <> ''`;
  const scope = sql`current_setting('app.scope', true)`;
  const rule = sql`(select ${known} and (${scope} = '*' or ${scope} like 'branches:%'))`;
  await sql`alter table rentals.possible_duplicate enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.possible_duplicate
    using (${rule}) with check (${rule})`.execute(db);
}
