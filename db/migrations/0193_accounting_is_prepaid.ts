// Whether something is left of what was paid in advance for a rental, for those who only look.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const IS_PREPAID = 'accounting.is_prepaid(uuid)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.is_prepaid(p_rental uuid) returns boolean
    language sql stable security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
      select exists (select from invoice i, taxes_left(i.id) l
        where i.rental_id = p_rental and i.kind = 386 and (l.base_minor, l.vat_minor) <> (0, 0))
    $$`.execute(db);
  await ownedBy(db, 'accounting_rw', [IS_PREPAID]);
  await publishedTo(db, 'rentals_rw', [IS_PREPAID]);
}
