// Rental agreements: what was agreed at the hand-over and at each change since, and its documents.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createTables(db);
  await keepVersions(db);
  const rental = sql`rentals.rental p where p.id = rental_id`;
  for (const table of ['agreement', 'agreement_file']) {
    const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
        and current_setting('app.scope', true) = '*')
      or exists (select from ${rental})`;
    const name = sql.id('rentals', table);
    await sql`alter table ${name} owner to forecourt_owner`.execute(db);
    await sql`grant select, insert on ${name} to rentals_rw`.execute(db);
    await sql`grant select on ${name} to api_read`.execute(db);
    await sql`alter table ${name} enable row level security`.execute(db);
    await sql`create policy in_scope on ${name} using (${rule}) with check (${rule})`.execute(db);
  }
  // A document names persons, so it goes when they do; what was agreed stays.
  await sql`grant delete on rentals.agreement_file to rentals_rw`.execute(db);
}

async function createTables(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.agreement (
      rental_id uuid not null references rentals.rental,
      version int not null check (version > 0),
      -- Ids, codes, times and amounts: no personal data.
      facts jsonb not null,
      agreed_at timestamptz not null default now(),
      primary key (rental_id, version)
    )`.execute(db);
  await sql`
    create table rentals.agreement_file (
      rental_id uuid not null,
      version int not null,
      language text not null check (language in ('en', 'de')),
      -- The name of the bytes in the object store.
      sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
      size_bytes int not null check (size_bytes > 0),
      written_at timestamptz not null default now(),
      primary key (rental_id, version, language),
      foreign key (rental_id, version) references rentals.agreement
    )`.execute(db);
}

/**
 * With the row itself, so that no way to hand keys out, to exchange a vehicle or to move a due time
 * can forget it. It is the rental's own row that waits, so the count of versions is safe.
 */
async function keepVersions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.keep_agreement() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    begin
      insert into agreement (rental_id, version, facts)
      select new.id, (select count(*) + 1 from agreement where rental_id = new.id),
        jsonb_build_object('number', new.number, 'entityId', new.entity_id,
          'branchId', new.branch_id, 'returnBranchId', new.return_branch_id,
          'classId', new.class_id, 'vehicleId', new.vehicle_id,
          'customerId', new.customer_id, 'payerId', new.payer_id,
          'driverIds', (select coalesce(jsonb_agg(d.customer_id order by d.created_at,
              d.customer_id), '[]')
            from rental_driver d where d.rental_id = new.id and d.ended_at is null),
          'pickUpAt', new.pick_up_at, 'dueAt', new.due_at,
          'checkedOutAt', new.checked_out_at, 'odometerKm', new.odometer_out_km,
          'fuelEighths', new.fuel_out_eighths, 'price', new.price,
          'inspectionId', (select i.id from inspection i
            where i.rental_id = new.id and i.vehicle_id = new.vehicle_id and i.kind = 'out'
              and i.completed_at is not null and not exists (select from inspection c
                where c.corrects = i.id and c.completed_at is not null)));
      return null;
    end $$`.execute(db);
  await sql`create trigger rental_agreement after update on rentals.rental
    for each row when (new.status = 'active' and (old.status <> 'active'
      or (old.vehicle_id, old.due_at, old.return_branch_id, old.price)
        is distinct from (new.vehicle_id, new.due_at, new.return_branch_id, new.price)))
    execute function rentals.keep_agreement()`.execute(db);
  await sql`create trigger rental_agreed_at_once after insert on rentals.rental
    for each row when (new.status = 'active')
    execute function rentals.keep_agreement()`.execute(db);
  await sql`
    create function rentals.refuse_agreement_change() returns trigger language plpgsql as $$
    begin
      raise exception 'What was agreed stays.'
        using errcode = 'check_violation', constraint = 'agreement_stays';
    end $$`.execute(db);
  await sql`create trigger agreement_stays before update or delete or truncate on rentals.agreement
    for each statement execute function rentals.refuse_agreement_change()`.execute(db);
}
