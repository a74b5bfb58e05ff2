// Letters name who drove, not who rented; and which documents of the books are about a person.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const DOCUMENTS = 'accounting.documents_of(uuid[], uuid[])';

export async function up(db: Kysely<unknown>): Promise<void> {
  await nameDrivers(db);
  await findDocuments(db);
}

/** Of letters before, the customer of the rental: that is who stands in them. */
async function nameDrivers(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.violation_letter
    add column driver_id uuid references rentals.customer`.execute(db);
  await sql`update rentals.violation_letter l set driver_id = v.customer_id
    from rentals.violation v where v.id = l.violation_id`.execute(db);
  await sql`alter table rentals.violation_letter alter column driver_id set not null`.execute(db);
  await sql`create index violation_letter_driver on rentals.violation_letter (driver_id)`.execute(
    db,
  );
  await sql`
    create or replace function rentals.forget_letters() returns trigger language plpgsql
    set search_path = rentals, pg_temp set app.scope = '*' as $$
    begin
      update violation_letter set letter = null, sealed_key_id = null where driver_id = new.id;
      return null;
    end $$`.execute(db);
}

/** Invoices and payments of these customers, whoever rented, and of these rentals, whoever pays. */
async function findDocuments(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.documents_of(p_customers uuid[], p_rentals uuid[]) returns uuid[]
    language sql stable security definer set search_path = accounting, pg_temp
    set app.scope = '*' as $$
      select coalesce(array_agg(d.id), '{}') from (
        select id from invoice where customer_id = any (p_customers) or rental_id = any (p_rentals)
        union all
        select id from payment where customer_id = any (p_customers) or rental_id = any (p_rentals)
      ) d
    $$`.execute(db);
  await ownedBy(db, 'accounting_rw', [DOCUMENTS]);
  await publishedTo(db, 'rentals_rw', [DOCUMENTS]);
}
