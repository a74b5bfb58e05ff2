// What rentals were told of hours that do not suit them, so that it can be taken back.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table events.outside_hours (
      rental_id uuid not null,
      handover text not null check (handover in ('pick-up', 'return')),
      branch_id text not null,
      at timestamptz not null,
      problem text not null check (problem in ('closed', 'fee')),
      primary key (rental_id, handover)
    )`.execute(db);
  await sql`create index outside_hours_branch on events.outside_hours (branch_id)`.execute(db);
  await sql`alter table events.outside_hours owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update, delete on events.outside_hours to events_rw`.execute(db);
  await sql`grant select on events.outside_hours to api_read`.execute(db);
}
