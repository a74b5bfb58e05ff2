// Tolls and fines: each notice once, matched to one rental, and charged for at most once.
import { type Kysely, sql } from 'kysely';
import { ownedBy } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createNoticeKey(db);
  await createViolation(db);
  await checkViolation(db);
  await guardViolation(db);
  await grant(db);
  await createCandidates(db);
}

/** Authorities, numbers and places are typed with spaces in different places; none of them counts. */
async function createNoticeKey(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.notice_key(p_text text) returns text
    language sql immutable strict parallel safe as $$
      select upper(regexp_replace(normalize(p_text, NFKC), '\\s', '', 'g')
        collate pg_catalog.pg_c_utf8)
    $$`.execute(db);
  await ownedBy(db, 'rentals_rw', ['rentals.notice_key(text)']);
}

/**
 * `at` is the instant of the local time that the notice states; in the hour that autumn repeats
 * `or_at` is the second one that it can mean. Fees and amounts are what was charged, net.
 */
async function createViolation(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.violation (
      id uuid primary key,
      kind text not null check (kind in ('toll', 'fine')),
      authority text not null,
      authority_key text not null generated always as (rentals.notice_key(authority)) stored
        check (authority_key <> ''),
      notice_number text not null,
      notice_key text not null generated always as (rentals.notice_key(notice_number)) stored
        check (notice_key <> ''),
      plate text not null,
      plate_key text not null generated always as (vehicles.plate_key(plate)) stored
        check (plate_key <> ''),
      plate_jurisdiction text not null,
      local_time text not null check (local_time ~ '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:\\d{2})?$'),
      time_zone text not null,
      at timestamptz not null,
      or_at timestamptz check (or_at > at),
      place text not null,
      place_key text not null generated always as (rentals.notice_key(place)) stored
        check (place_key <> ''),
      amount_minor bigint not null check (amount_minor > 0),
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      due_on date,
      status text not null check (status in ('queued', 'matched', 'dismissed', 'settled')),
      queue_reason text check (queue_reason in ('unknown-plate', 'no-rental', 'several-rentals',
        'doubled-hour', 'similar-notice')),
      vehicle_id uuid,
      rental_id uuid references rentals.rental,
      customer_id uuid,
      branch_id text,
      entity_id text,
      assigned_by text,
      dismiss_reason text check (dismiss_reason <> ''),
      settlement text check (settlement in ('nominate', 'recharge')),
      passed_on_minor bigint check (passed_on_minor >= 0),
      toll_minor bigint check (toll_minor >= 0),
      fee_minor bigint check (fee_minor >= 0),
      vat_minor bigint check (vat_minor >= 0),
      collect_by text check (collect_by in ('card', 'invoice')),
      invoice_id uuid unique,
      invoice_number text,
      letter_sha256 text check (letter_sha256 ~ '^[0-9a-f]{64}$'),
      settled_at timestamptz,
      received_by text not null default current_setting('app.principal'),
      received_at timestamptz not null default now(),
      version int not null default 1,
      constraint violation_notice_once unique (authority_key, notice_key)
    )`.execute(db);
  // What nobody has looked at is charged once, whatever number a second notice of it bears.
  await sql`create unique index violation_seen_once on rentals.violation
    (plate_key, plate_jurisdiction, at, place_key)
    where status in ('matched', 'settled') and assigned_by is null`.execute(db);
  await sql`create index violation_by_sighting on rentals.violation
    (plate_key, plate_jurisdiction, at)`.execute(db);
  await sql`create index violation_by_status on rentals.violation (status, id)`.execute(db);
  await sql`create index violation_by_rental on rentals.violation (rental_id)
    where rental_id is not null`.execute(db);
  await sql`create index rental_by_vehicle on rentals.rental (vehicle_id, checked_out_at)
    where checked_out_at is not null`.execute(db);
}

async function checkViolation(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table rentals.violation
      add constraint violation_queued_why check (status <> 'queued' or queue_reason is not null),
      add constraint violation_doubtful_is_assigned
        check (status not in ('matched', 'settled') or queue_reason is null
          or assigned_by is not null),
      add constraint violation_rental_whole
        check (num_nulls(vehicle_id, rental_id, customer_id, branch_id, entity_id) in (0, 5)),
      add constraint violation_charged_has_rental
        check (status not in ('matched', 'settled') or rental_id is not null),
      add constraint violation_queued_has_none check (status <> 'queued' or rental_id is null),
      add constraint violation_dismissed_why
        check ((status = 'dismissed') = (dismiss_reason is not null)),
      add constraint violation_settled_whole
        check (num_nulls(settlement, passed_on_minor, toll_minor, fee_minor, vat_minor, settled_at)
          = case status when 'settled' then 0 else 6 end),
      add constraint violation_invoiced check ((coalesce(passed_on_minor + toll_minor + fee_minor
          + vat_minor, 0) > 0) = (invoice_id is not null)),
      add constraint violation_invoice_whole
        check (num_nulls(invoice_id, invoice_number, collect_by) in (0, 3)),
      add constraint violation_nominated_is_fine
        check (settlement <> 'nominate' or kind = 'fine'),
      add constraint violation_charged_its_amount check (settlement is null
        or passed_on_minor + toll_minor = case settlement when 'recharge' then amount_minor
          else 0 end),
      add constraint violation_fine_is_no_revenue check (kind <> 'fine' or toll_minor = 0),
      add constraint violation_nominated_by_letter
        check ((coalesce(settlement, '') = 'nominate') = (letter_sha256 is not null))`.execute(db);
}

/** The steps it may take, and that its rental really had a vehicle then. */
async function guardViolation(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.guard_violation() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    begin
      if tg_op = 'INSERT' then
        if new.status not in ('queued', 'matched') then
          raise exception 'A violation begins queued or matched.'
            using errcode = 'check_violation', constraint = 'violation_begins';
        end if;
      elsif new.version <> old.version + 1 or (old.status, new.status) not in (
          ('queued', 'matched'), ('queued', 'dismissed'), ('matched', 'dismissed'),
          ('matched', 'settled')) then
        raise exception 'Violation % cannot go from % to %.', old.id, old.status, new.status
          using errcode = 'check_violation', constraint = 'violation_transition';
      end if;
      if new.status in ('matched', 'settled') and not exists (
          select from rental r where r.id = new.rental_id and r.customer_id = new.customer_id
            and r.branch_id = new.branch_id and r.entity_id = new.entity_id
            and r.vehicle_id = new.vehicle_id and (
              (r.checked_out_at <= new.at and new.at < coalesce(r.checked_in_at, 'infinity'))
              or (r.checked_out_at <= new.or_at
                and new.or_at < coalesce(r.checked_in_at, 'infinity')))) then
        raise exception 'Rental % had no vehicle then.', new.rental_id
          using errcode = 'check_violation', constraint = 'violation_rental_had_it';
      end if;
      return new;
    end $$`.execute(db);
  await sql`alter function rentals.guard_violation() owner to rentals_rw`.execute(db);
  await sql`create trigger violation_guard before insert or update on rentals.violation
    for each row execute function rentals.guard_violation()`.execute(db);
}

/** What the notice says is never changed; what nobody could match is everybody's to look at. */
async function grant(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.violation owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on rentals.violation to rentals_rw`.execute(db);
  await sql`grant update (status, vehicle_id, rental_id, customer_id, branch_id, entity_id,
      assigned_by, dismiss_reason, settlement, passed_on_minor, toll_minor, fee_minor, vat_minor,
      collect_by, invoice_id, invoice_number, letter_sha256, settled_at, version)
    on rentals.violation to rentals_rw`.execute(db);
  await sql`grant select on rentals.violation to api_read`.execute(db);
  await sql`alter table rentals.violation enable row level security`.execute(db);
  const known = `coalesce(current_setting('app.principal', true), '') <> ''`;
  const scope = `current_setting('app.scope', true)`;
  const inScope = sql.raw(`(select ${known} and ${scope} = '*')
    or branch_id = any ((select case when ${known} and ${scope} like 'branches:%'
      then string_to_array(substr(${scope}, 10), ',') end)::text[])
    or (branch_id is null and (select ${known} and ${scope} like 'branches:%'))
    or customer_id = (select case when ${known} and ${scope} like 'customer:%'
      then substr(${scope}, 10)::uuid end)`);
  await sql`create policy in_scope on rentals.violation
    using (${inScope}) with check (${inScope})`.execute(db);
}

/**
 * Who may have driven: for each instant the plate's vehicle and the rentals that had it then, by
 * their own records and not by booked times; one row without a rental when there is none.
 */
async function createCandidates(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.violation_candidates(
      p_plate text, p_jurisdiction text, p_instants timestamptz[]
    ) returns table (at timestamptz, vehicle_id uuid, rental_id uuid)
    language sql stable set search_path = rentals, pg_temp set app.scope = '*' as $$
      select i.at, h.vehicle_id, r.id
      from unnest(p_instants) i (at)
      cross join lateral (
        select vehicles.plate_holder(p_plate, p_jurisdiction, i.at) as vehicle_id) h
      left join rental r on r.vehicle_id = h.vehicle_id and r.checked_out_at <= i.at
        and i.at < coalesce(r.checked_in_at, 'infinity')
      order by i.at, r.id
    $$`.execute(db);
  await ownedBy(db, 'rentals_rw', ['rentals.violation_candidates(text, text, timestamptz[])']);
}
