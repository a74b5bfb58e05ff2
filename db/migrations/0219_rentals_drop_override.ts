// Why a manager took an old key drop for true; the audit log says when it was needed.
import { type Kysely, sql } from 'kysely';

/** Apart from the check-in, because a reason is free text and commands travel through workflows. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.drop_override (
      rental_id uuid primary key references rentals.rental,
      reason text not null check (reason <> ''),
      granted_by text not null,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`alter table rentals.drop_override owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on rentals.drop_override to rentals_rw`.execute(db);
  await sql`grant select on rentals.drop_override to api_read`.execute(db);
  const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or exists (select from rentals.rental p where p.id = rental_id)`;
  await sql`alter table rentals.drop_override enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.drop_override
    using (${rule}) with check (${rule})`.execute(db);
}
