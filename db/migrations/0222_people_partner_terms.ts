// What is agreed with a partner: the negotiated rates it may book by, and who pays its vouchers.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // A payer pays for one partner, so that what it owes never mixes a sandbox with live business.
  await sql`
    alter table people.partner
      add column rates text[] not null default '{}'
        constraint partner_rates_few check (cardinality(rates) <= 50),
      add column payer_id uuid constraint partner_payer_its_own unique`.execute(db);
}
