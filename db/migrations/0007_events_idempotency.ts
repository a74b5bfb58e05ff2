// The idempotency store: which request an Idempotency-Key stands for, and what it was answered.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`set local role forecourt_owner`.execute(db);
  await sql`create table events.idempotency (
    principal text not null check (principal <> ''),
    route text not null,
    key text not null check (length(key) between 1 and 255),
    request_hash bytea not null check (length(request_hash) = 32),
    -- The id under which the request takes effect: every retry acts under this same one.
    bound_id uuid not null,
    state text not null default 'in_progress' check (state in ('in_progress', 'done')),
    locked_until timestamptz not null,
    status smallint check (status between 200 and 499),
    headers jsonb,
    body text,
    created_at timestamptz not null default now(),
    primary key (principal, route, key),
    check ((state = 'done') = (status is not null and headers is not null and body is not null))
  ) with (fillfactor = 80)`.execute(db);
  await sql`create index idempotency_created_at on events.idempotency using brin (created_at)`.execute(
    db,
  );
  // Answers may hold personal data, so reading everything else does not include this.
  await sql`revoke all on events.idempotency from api_read`.execute(db);
  await sql`grant usage on schema events to api_rw`.execute(db);
  await sql`grant select, insert, update, delete on events.idempotency to api_rw`.execute(db);
  await sql`reset role`.execute(db);
}
