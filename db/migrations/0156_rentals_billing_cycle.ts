// Long rentals billed in cycles while they are open: the cycle of each, and what was billed so far.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const ZONE = 'accounting.zone_of(text)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table rentals.rental
      add column billing_cycle text check (billing_cycle in ('28-days', '30-days', 'month')),
      -- From check-out on: the end of the cycle that is billed next.
      add column cycle_ends_at timestamptz,
      add column arrears boolean not null default false,
      add constraint rental_cycle_is_of_a_kind
        check (cycle_ends_at is null or billing_cycle is not null),
      add constraint rental_arrears_are_of_cycles
        check (not arrears or (billing_cycle is not null and status = 'active'))`.execute(db);
  await sql`create index rental_in_arrears on rentals.rental (branch_id) where arrears`.execute(db);
  await createBilledCycle(db);
  await guardBilledCycle(db);
  await limitRows(db);
  await createZone(db);
}

/** One row a cycle, whether it added anything or not; the invoice is accounting's. */
async function createBilledCycle(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.billed_cycle (
      rental_id uuid not null references rentals.rental,
      cycle int not null check (cycle > 0),
      service_from timestamptz not null,
      service_to timestamptz not null check (service_to > service_from),
      -- The last day of the cycle by the legal entity's clock (Directive 2006/112 Art. 64(1)).
      tax_point date not null,
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      -- By rate, as the document has it: [{rateBp, baseMinor, vatMinor}].
      vat jsonb not null,
      total_minor bigint not null check (total_minor >= 0),
      invoice_id uuid unique,
      invoice_number text,
      payable_by timestamptz,
      created_at timestamptz not null default now(),
      primary key (rental_id, cycle),
      -- A clock of another server may be ahead by so much.
      constraint billed_cycle_is_over
        check (service_to <= created_at + interval '1 minute'),
      constraint billed_cycle_is_invoiced check (num_nulls(invoice_id, invoice_number, payable_by)
        = case when total_minor = 0 then 3 else 0 end)
    )`.execute(db);
  await sql`alter table rentals.billed_cycle owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on rentals.billed_cycle to rentals_rw`.execute(db);
  await sql`grant select on rentals.billed_cycle to api_read`.execute(db);
}

/** Cycles follow each other without gap or overlap, of a rental that is out, and stay. */
async function guardBilledCycle(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.guard_billed_cycle() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    declare
      v_before billed_cycle;
    begin
      if not exists (select from rental r where r.id = new.rental_id and r.status = 'active'
          and r.cycle_ends_at = new.service_to and r.currency = new.currency) then
        raise exception 'Rental % bills no cycle to %.', new.rental_id, new.service_to
          using errcode = 'check_violation', constraint = 'billed_cycle_is_due';
      end if;
      select * into v_before from billed_cycle where rental_id = new.rental_id
        order by cycle desc limit 1;
      if new.cycle <> coalesce(v_before.cycle, 0) + 1
        or new.service_from <> coalesce(v_before.service_to, new.service_from) then
        raise exception 'Cycle % of rental % follows none.', new.cycle, new.rental_id
          using errcode = 'check_violation', constraint = 'billed_cycle_follows';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger billed_cycle_guard before insert on rentals.billed_cycle
    for each row execute function rentals.guard_billed_cycle()`.execute(db);
  await sql`
    create function rentals.refuse_billed_cycle_change() returns trigger language plpgsql as $$
    begin
      raise exception 'What was billed stays.'
        using errcode = 'check_violation', constraint = 'billed_cycle_stays';
    end $$`.execute(db);
  await sql`create trigger billed_cycle_stays before update or delete or truncate
    on rentals.billed_cycle
    for each statement execute function rentals.refuse_billed_cycle_change()`.execute(db);
}

/** As far as the rental is seen. */
async function limitRows(db: Kysely<unknown>): Promise<void> {
  const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or exists (select from rentals.rental p where p.id = rental_id)`;
  await sql`alter table rentals.billed_cycle enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.billed_cycle
    using (${rule}) with check (${rule})`.execute(db);
}

/** Months, and the days of tax points, are those of the legal entity's clock. */
async function createZone(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.zone_of(p_entity text) returns text
    language sql stable security definer set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
      select time_zone from legal_entity where id = p_entity
    $$`.execute(db);
  await ownedBy(db, 'accounting_rw', [ZONE]);
  await publishedTo(db, 'rentals_rw', [ZONE]);
}
