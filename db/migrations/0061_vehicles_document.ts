// Documents and photos of vehicles: what is known of each file, and the gaps that its expiry leaves.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createDocument(db);
  await createGaps(db);
}

/** The file itself lies in the object store under the SHA-256 of its bytes. */
async function createDocument(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vehicles.document (
      id uuid primary key,
      vehicle_id uuid not null references vehicles.vehicle,
      kind text not null check (kind in ('registration', 'insurance', 'inspection', 'certificate',
        'photo', 'other')),
      media_type text not null check (media_type in ('image/jpeg', 'image/png', 'image/webp',
        'application/pdf')),
      sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
      size_bytes int not null check (size_bytes between 1 and 52428800),
      valid_from date,
      -- The last day on which it is good.
      expires_on date,
      uploaded_by text not null,
      uploaded_at timestamptz not null default now(),
      withdrawn_by text,
      withdrawn_at timestamptz,
      withdraw_reason text check (withdraw_reason <> ''),
      version int not null default 1,
      constraint document_validity check (expires_on >= valid_from),
      constraint document_withdrawn
        check (num_nulls(withdrawn_by, withdrawn_at, withdraw_reason) in (0, 3))
    )`.execute(db);
  await sql`create index document_of_vehicle on vehicles.document (vehicle_id, id)`.execute(db);
  await sql`create index document_expiry on vehicles.document (expires_on)
    where withdrawn_at is null and expires_on is not null`.execute(db);
  await sql`alter table vehicles.document owner to forecourt_owner`.execute(db);
  // A file stays what it was: only its withdrawal may be written.
  await sql`grant select, insert on vehicles.document to vehicles_rw`.execute(db);
  await sql`grant update (withdrawn_by, withdrawn_at, withdraw_reason, version)
    on vehicles.document to vehicles_rw`.execute(db);
  await sql`grant select on vehicles.document to api_read`.execute(db);
  await sql`alter table vehicles.document enable row level security`.execute(db);
  await sql`create policy in_scope on vehicles.document
    using (exists (select from vehicles.vehicle v where v.id = vehicle_id))
    with check (exists (select from vehicles.vehicle v where v.id = vehicle_id))`.execute(db);
}

/**
 * One row for each document that was not withdrawn and whose last day another one of its kind does
 * not outlast: from the midnight after it, local at the vehicle's home, until the next one begins.
 * It runs with the caller's rights, so it shows what he may see.
 */
async function createGaps(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function vehicles.document_gaps(p_vehicle uuid default null)
    returns table (document_id uuid, vehicle_id uuid, kind text, expires_on date,
      gap_from timestamptz, gap_until timestamptz)
    language sql stable as $$
      select d.id, d.vehicle_id, d.kind, d.expires_on,
        (d.expires_on + 1)::timestamp at time zone b.time_zone,
        (select min(n.valid_from) from vehicles.document n
          where n.vehicle_id = d.vehicle_id and n.kind = d.kind and n.withdrawn_at is null
            and n.valid_from > d.expires_on)::timestamp at time zone b.time_zone
      from vehicles.document d
      join vehicles.vehicle v on v.id = d.vehicle_id
      join vehicles.branch b on b.id = v.home_branch_id
      where (p_vehicle is null or d.vehicle_id = p_vehicle)
        and d.withdrawn_at is null and d.expires_on is not null
        and v.status not in ('sold', 'written_off', 'returned_to_supplier')
        and not exists (
          select from vehicles.document o
          where o.vehicle_id = d.vehicle_id and o.kind = d.kind and o.withdrawn_at is null
            and o.id <> d.id and coalesce(o.valid_from, '-infinity') <= d.expires_on + 1
            -- Of two that end together the newer one speaks.
            and (coalesce(o.expires_on, 'infinity'), o.id) > (d.expires_on, d.id))
    $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', ['vehicles.document_gaps(uuid)']);
  await publishedTo(db, 'api_read', ['vehicles.document_gaps(uuid)']);
}
