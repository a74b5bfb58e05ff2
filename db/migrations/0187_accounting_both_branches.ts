// Documents and payments of a rental are in scope where the rental is: also where it comes back.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';
import { OF_BRANCH_OR_CUSTOMER } from './support/policies.ts';

const IN_SCOPE = 'rentals.is_in_scope(uuid)';
const TABLES = ['invoice', 'open_item', 'payment'];

export async function up(db: Kysely<unknown>): Promise<void> {
  await createInScope(db);
  for (const table of TABLES) {
    const rule = sql`${OF_BRANCH_OR_CUSTOMER} or (rental_id is not null
      and (select current_setting('app.scope', true) like 'branches:%')
      and rentals.is_in_scope(rental_id))`;
    await sql`alter policy in_scope on ${sql.id('accounting', table)}
      using (${rule}) with check (${rule})`.execute(db);
  }
}

/** By the rental's own policy: with the scope of whoever asks. */
async function createInScope(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.is_in_scope(p_rental uuid) returns boolean
    language plpgsql stable security definer set search_path = rentals, pg_temp as $$
    begin
      return exists (select from rental where id = p_rental);
    end $$`.execute(db);
  await ownedBy(db, 'rentals_rw', [IN_SCOPE]);
  for (const role of ['accounting_rw', 'api_read']) await publishedTo(db, role, [IN_SCOPE]);
}
