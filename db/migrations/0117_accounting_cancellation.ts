// Fees for rentals that do not take place: their account, and how each legal entity taxes them.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const FEE_VAT = 'accounting.cancellation_vat(text)';

/** Entities that were opened before have the account too; a code that is taken stays what it is. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into accounting.account (entity_id, code, name, type, live_balance)
    select id, '4400', 'Cancellation income', 'income', false from accounting.legal_entity
    on conflict do nothing`.execute(db);
  // Consideration for the place that was kept, or compensation outside VAT (decisions.md 18).
  await sql`alter table accounting.legal_entity add column cancellation_vat text not null
    default 'consideration' check (cancellation_vat in ('consideration', 'compensation'))`.execute(
    db,
  );
  await sql`
    create function accounting.cancellation_vat(p_entity text) returns text
    language sql stable security definer set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
      select cancellation_vat from legal_entity where id = p_entity
    $$`.execute(db);
  await ownedBy(db, 'accounting_rw', [FEE_VAT]);
  await publishedTo(db, 'rentals_rw', [FEE_VAT]);
}
