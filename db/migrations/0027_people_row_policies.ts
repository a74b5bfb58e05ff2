// Row-level policies: the second wall behind the API, on tables with personal or branch-bound rows.
import { type Kysely, sql } from 'kysely';

/**
 * Two settings of the transaction say who acts and how far he sees: `app.principal` and `app.scope`
 * (`*`, `branches:VIE,GRZ`, `customer:<id>`). Without a principal there are no rows. They stand in
 * sub-selects, which are evaluated once a statement and not once a row.
 */
const KNOWN = `coalesce(current_setting('app.principal', true), '') <> ''`;
const SCOPE = `current_setting('app.scope', true)`;
const ALL = `(select ${KNOWN} and ${SCOPE} = '*')`;
const BRANCHES = `((select case when ${KNOWN} and ${SCOPE} like 'branches:%'
  then string_to_array(substr(${SCOPE}, 10), ',') end)::text[])`;
const CUSTOMER = `(select case when ${KNOWN} and ${SCOPE} like 'customer:%'
  then substr(${SCOPE}, 10)::uuid end)`;
/** Customers are the company's, not a branch's: who works at any branch may look one up. */
const ANY_BRANCH = `(select ${KNOWN} and ${SCOPE} like 'branches:%')`;
const SELF = `(select current_setting('app.principal', true))`;

/** Who sees, and may write, which rows; the owner of the tables, who only migrates, sees all. */
const POLICIES: Readonly<Record<string, string>> = {
  'rentals.customer': `${ALL} or ${ANY_BRANCH} or id = ${CUSTOMER}`,
  'rentals.rental': `${ALL} or branch_id = any ${BRANCHES} or return_branch_id = any ${BRANCHES}
    or customer_id = ${CUSTOMER}`,
  'rentals.command': ALL,
  'vehicles.vehicle': `${ALL} or branch_id = any ${BRANCHES}`,
  'accounting.invoice': `${ALL} or branch_id = any ${BRANCHES} or customer_id = ${CUSTOMER}`,
  'people.staff': `${ALL} or 'staff:' || id = ${SELF}`,
  'people.api_key': `${ALL} or owner = ${SELF}`,
  'people.password': `${ALL} or subject = ${SELF}`,
  'people.totp': `${ALL} or subject = ${SELF}`,
  'people.recovery_code': `${ALL} or subject = ${SELF}`,
  'people.remembered_device': `${ALL} or subject = ${SELF}`,
  'people.session': `${ALL} or subject = ${SELF}`,
  'people.single_use_token': ALL,
  'people.mail': ALL,
};

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const [table, rule] of Object.entries(POLICIES)) {
    const name = sql.table(table);
    await sql`alter table ${name} enable row level security`.execute(db);
    await sql`create policy in_scope on ${name}
      using (${sql.raw(rule)}) with check (${sql.raw(rule)})`.execute(db);
  }
}
