// The simulated gateway's notices, kept until whoever they are for has answered.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table simulated_gateway.notice (
      seq bigint generated always as identity primary key,
      body text not null,
      sent_at timestamptz
    )`.execute(db);
  await sql`create index notice_unsent on simulated_gateway.notice (seq)
    where sent_at is null`.execute(db);
  await sql`alter table simulated_gateway.notice owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on simulated_gateway.notice to rentals_rw`.execute(db);
}
