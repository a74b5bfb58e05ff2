// The key by which customers are looked up: an index that a search may use under row-level policies.
import { type Kysely, sql } from 'kysely';

/**
 * Under a policy PostgreSQL hands to an index only what cannot leak rows: comparisons of a plain
 * column can, `lower(name)` and `starts_with` cannot. So the lower-case name is a column, in byte
 * order, where a beginning is a range.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.customer add column name_key text collate "C"
    generated always as (lower(name)) stored`.execute(db);
  await sql`create index customer_name_key on rentals.customer (name_key, id)`.execute(db);
}
