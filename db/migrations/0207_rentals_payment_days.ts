// Within how many days a payer pays: a share's own term, else the customer's.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const DAYS = 'rentals.payment_days_of(uuid)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.payer_share add column payment_days int
    constraint payer_share_payment_days check (payment_days between 0 and 90)`.execute(db);
  // Of the record that stands for the customer now; null for one without terms.
  await sql`
    create function rentals.payment_days_of(p_customer uuid) returns int
    language sql stable security definer set search_path = rentals, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
      select s.payment_terms_days from customer c
        join customer s on s.id = coalesce(c.merged_into, c.id)
      where c.id = p_customer
    $$`.execute(db);
  await ownedBy(db, 'rentals_rw', [DAYS]);
  await publishedTo(db, 'accounting_rw', [DAYS]);
}
