// What a customer's record says besides names: persons and companies, payers, credit, licences.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createNameMatch(db);
  await sql`
    alter table rentals.customer
      add column kind text not null default 'person' check (kind in ('person', 'company')),
      add column tax_id text check (tax_id <> ''),
      -- Who is asked to pay first; left out, the customer.
      add column payer_id uuid references rentals.customer,
      add column credit_limit_minor bigint check (credit_limit_minor >= 0),
      add column credit_currency text check (credit_currency ~ '^[A-Z]{3}$'),
      add column payment_terms_days int check (payment_terms_days between 0 and 180),
      -- Keyed digests of what is sealed, under the key of sealed_key_id: equal values are found by
      -- them, and nobody without the key can try numbers out.
      add column licence_hash bytea,
      add column birth_hash bytea,
      add column licence_classes text[],
      add column licence_issued_on date,
      add column licence_valid_until date,
      add column licence_recheck_on date,
      add column email_key text collate "C"
        generated always as (lower(email collate pg_c_utf8)) stored,
      add column name_match text collate "C"
        generated always as (rentals.name_match(name)) stored,
      add constraint customer_kind_key unique (id, kind),
      add constraint customer_pays_not_itself check (payer_id <> id),
      add constraint customer_credit_whole
        check ((credit_limit_minor is null) = (credit_currency is null)),
      add constraint customer_tax_id_of_company check (tax_id is null or kind = 'company'),
      add constraint customer_licence_of_person
        check (kind = 'person' or num_nonnulls(licence_number, licence_classes) = 0),
      add constraint customer_licence_ends_later
        check (licence_valid_until >= licence_issued_on)`.execute(db);
  // Plain columns, because a policy keeps functions of a column from using an index.
  for (const column of ['email_key', 'phone', 'licence_hash', 'name_match', 'payer_id']) {
    await sql`create index ${sql.id(`customer_by_${column}`)} on rentals.customer
      (${sql.id(column)}) where ${sql.id(column)} is not null`.execute(db);
  }
  await sql`create index customer_licence_due on rentals.customer (licence_recheck_on, id)
    where licence_recheck_on is not null`.execute(db);
  await createContacts(db);
}

/**
 * Names that people take for the same: without case, accents, punctuation and the order of words.
 * The collation is named, because the databases' own knows no letters but ASCII's.
 */
async function createNameMatch(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.name_match(p_name text) returns text
    language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
      select string_agg(word, ' ' order by word collate "C")
      from regexp_split_to_table(replace(lower(regexp_replace(normalize(p_name, NFKD),
        '[\u0300-\u036f]', '', 'g') collate pg_c_utf8), 'ß', 'ss'),
        '[^[:alnum:]]+') word
      where word <> ''
    $$`.execute(db);
  await sql`alter function rentals.name_match(text) owner to rentals_rw`.execute(db);
  await sql`revoke all on function rentals.name_match(text) from public`.execute(db);
}

/** A contact is a person's own record, so that its details go with the person's erasure. */
async function createContacts(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.company_contact (
      company_id uuid not null,
      company_kind text not null generated always as ('company') stored,
      person_id uuid not null,
      person_kind text not null generated always as ('person') stored,
      function text not null check (function in ('booking', 'billing', 'fleet', 'other')),
      ended_at timestamptz,
      created_at timestamptz not null default now(),
      primary key (company_id, person_id),
      foreign key (company_id, company_kind) references rentals.customer (id, kind),
      foreign key (person_id, person_kind) references rentals.customer (id, kind)
    )`.execute(db);
  await sql`create index company_contact_person on rentals.company_contact (person_id)`.execute(db);
  await sql`alter table rentals.company_contact owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on rentals.company_contact to rentals_rw`.execute(db);
  await sql`grant select on rentals.company_contact to api_read`.execute(db);
  const known = sql`coalesce(current_setting('app.principal', true), '') <> ''`;
  const scope = sql`current_setting('app.scope', true)`;
  const rule = sql`(select ${known} and (${scope} = '*' or ${scope} like 'branches:%'))`;
  await sql`alter table rentals.company_contact enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.company_contact
    using (${rule}) with check (${rule})`.execute(db);
}
