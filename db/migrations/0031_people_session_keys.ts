// Keys of encrypted sessions, and customers' licences: both only ever sealed.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table people.session_key (
      id uuid primary key,
      principal text not null check (principal <> ''),
      -- Both keys, one a direction, sealed under key_id.
      key_id text not null,
      secret bytea not null,
      -- The newest message that was accepted: none is accepted twice, nor after a later one.
      last_sequence bigint not null default 0 check (last_sequence >= 0),
      expires_at timestamptz not null,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index session_key_expires on people.session_key (expires_at)`.execute(db);
  await sql`alter table people.session_key owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update, delete on people.session_key to people_rw`.execute(db);
  await sql`revoke all on people.session_key from api_read`.execute(db);
  await sql`alter table rentals.customer
    add column licence_number bytea,
    add column birth_date bytea,
    add column sealed_key_id text,
    add constraint customer_sealed_whole check (
      (licence_number is null) = (sealed_key_id is null)
      and (birth_date is null) = (sealed_key_id is null))`.execute(db);
  await sql`comment on column rentals.customer.sealed_key_id is
    'The key of DATA_KEYS under which licence_number and birth_date are sealed'`.execute(db);
}
