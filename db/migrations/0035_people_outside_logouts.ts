// Sign-outs that an outside issuer told us of (OpenID Connect Back-Channel Logout 1.0).
import { type Kysely, sql } from 'kysely';

/** As in 0027: rows for the system alone, which authenticates before anybody is known. */
const SYSTEM = `(select coalesce(current_setting('app.principal', true), '') <> ''
  and current_setting('app.scope', true) = '*')`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table people.outside_logout (
      issuer text not null,
      -- Of the logout token: none is taken twice.
      jti text not null,
      session_id text,
      subject text,
      -- By the issuer's clock, as the tokens' own time is.
      logged_out_at timestamptz not null,
      received_at timestamptz not null default now(),
      primary key (issuer, jti),
      constraint outside_logout_of_somebody check (num_nonnulls(session_id, subject) > 0)
    )`.execute(db);
  for (const column of ['session_id', 'subject'] as const) {
    await sql`create index ${sql.id(`outside_logout_${column}`)}
      on people.outside_logout (issuer, ${sql.id(column)})
      where ${sql.id(column)} is not null`.execute(db);
  }
  await sql`alter table people.outside_logout owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, delete on people.outside_logout to people_rw`.execute(db);
  await sql`revoke all on people.outside_logout from api_read`.execute(db);
  await sql`alter table people.outside_logout enable row level security`.execute(db);
  await sql`create policy in_scope on people.outside_logout
    using (${sql.raw(SYSTEM)}) with check (${sql.raw(SYSTEM)})`.execute(db);
}
