// Documents of invoices: what was written of one, once a language, and kept as it was.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.invoice_file (
      -- Of accounting.
      invoice_id uuid not null,
      language text not null check (language in ('en', 'de')),
      -- Who is named in it: with the name it goes.
      customer_id uuid not null references rentals.customer,
      -- The name of the bytes in the object store.
      sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
      size_bytes int not null check (size_bytes > 0),
      written_at timestamptz not null default now(),
      primary key (invoice_id, language)
    )`.execute(db);
  await sql`create index invoice_file_customer on rentals.invoice_file (customer_id)`.execute(db);
  await sql`alter table rentals.invoice_file owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, delete on rentals.invoice_file to rentals_rw`.execute(db);
  await sql`grant select on rentals.invoice_file to api_read`.execute(db);
  // Whoever asks was shown the invoice itself before; the file is read for the system alone.
  const rule = sql`coalesce(current_setting('app.principal', true), '') <> ''
    and current_setting('app.scope', true) = '*'`;
  await sql`alter table rentals.invoice_file enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.invoice_file
    using (${rule}) with check (${rule})`.execute(db);
}
