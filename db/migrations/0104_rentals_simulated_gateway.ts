// The simulated gateway's own books, in a schema of their own: it plays somebody else's system.
import { type Kysely, sql } from 'kysely';

/** Nothing of ours may join or change it but its adapter, which is why no domain's schema has it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create schema simulated_gateway authorization forecourt_owner`.execute(db);
  await sql`grant usage on schema simulated_gateway to rentals_rw`.execute(db);
  await sql`
    create table simulated_gateway.hold (
      ref text primary key,
      card text not null,
      rental_id text not null,
      amount_minor bigint not null check (amount_minor > 0),
      captured_minor bigint not null default 0,
      refunded_minor bigint not null default 0 check (refunded_minor <= captured_minor),
      currency text not null,
      status text not null default 'held' check (status in ('held', 'captured', 'released')),
      capture_before timestamptz not null
    )`.execute(db);
  // What it answered, so that the same key is answered the same and nothing is done twice.
  await sql`
    create table simulated_gateway.operation (
      id text primary key,
      kind text not null,
      ref text,
      amount_minor bigint,
      outcome jsonb not null,
      asked int not null default 1
    )`.execute(db);
  for (const table of ['hold', 'operation']) {
    const name = sql.id('simulated_gateway', table);
    await sql`alter table ${name} owner to forecourt_owner`.execute(db);
    await sql`grant select, insert, update on ${name} to rentals_rw`.execute(db);
  }
}
