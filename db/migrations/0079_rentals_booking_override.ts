// Why a manager let a booking pass that the rules refuse; the audit log says when it was used.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const WAITS = 'vehicles.waits_by_override(uuid)';

/** Apart from the request, because a reason is free text and requests travel through workflows. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.booking_override (
      rental_id uuid primary key,
      reason text not null check (reason <> ''),
      granted_by text not null,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`alter table rentals.booking_override owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on rentals.booking_override to rentals_rw`.execute(db);
  await sql`grant select on rentals.booking_override to api_read`.execute(db);
  // Whether the one that a manager let wait beyond the limit is this rental's.
  await sql`
    create function vehicles.waits_by_override(p_rental uuid) returns boolean
    language sql stable security definer set search_path = vehicles, pg_temp as $$
      select exists (select from span where kind = 'rental' and ref = p_rental
        and over_limit_reason = 'override')
    $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', [WAITS]);
  await publishedTo(db, 'rentals_rw', [WAITS]);
}
