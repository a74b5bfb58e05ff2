// Row-level policies of tables that belong to branches, as migration 0027 made the first of them.
import { type Kysely, type RawBuilder, sql } from 'kysely';

const KNOWN = `coalesce(current_setting('app.principal', true), '') <> ''`;
const SCOPE = `current_setting('app.scope', true)`;

/** All rows for `*`, else those whose branch_id is one of the caller's. */
const OF_BRANCH = sql.raw(`(select ${KNOWN} and ${SCOPE} = '*')
  or branch_id = any ((select case when ${KNOWN} and ${SCOPE} like 'branches:%'
    then string_to_array(substr(${SCOPE}, 10), ',') end)::text[])`);

/** The same, and customers see what is theirs by customer_id. */
export const OF_BRANCH_OR_CUSTOMER = sql`${OF_BRANCH}
  or customer_id = (select case when ${sql.raw(KNOWN)} and ${sql.raw(SCOPE)} like 'customer:%'
    then substr(${sql.raw(SCOPE)}, 10)::uuid end)`;

/** The owner's table, which `writer` adds rows to, in the rows' scope; api_read reads it. */
export async function branchRows(
  db: Kysely<unknown>,
  schema: string,
  table: string,
  writer: string,
  rule: RawBuilder<unknown> = OF_BRANCH,
): Promise<void> {
  const name = sql.id(schema, table);
  await sql`alter table ${name} owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on ${name} to ${sql.id(writer)}`.execute(db);
  await sql`grant select on ${name} to api_read`.execute(db);
  await sql`alter table ${name} enable row level security`.execute(db);
  await sql`create policy in_scope on ${name} using (${rule}) with check (${rule})`.execute(db);
}
