// Plants a word wherever the rows of one customer could hold free text, and finds it again.
import { type Kysely, sql } from 'kysely';
import type { DB } from '../../db/schema.ts';

export const WORD = 'Zwetschkenknödel';

/** Ids, codes, numbers and hashes by their names; who did it is a principal. */
const CODES =
  /(^|_)(id|ids|by|sha256|hash|key|number|currency|status|state|step|kind|type|series|route|tx|month|ref|code|codes|classes|language|scopes|roles|payer|method|gateway|purpose|channel|subject|owner|actor|origin|action|principal)$/;

/** Columns whose check lists what they may hold. */
const LISTED = sql`select c.conrelid, k as attnum from pg_constraint c, unnest(c.conkey) k
  where c.contype = 'c' and array_length(c.conkey, 1) = 1
    and (pg_get_constraintdef(c.oid) like '%= ANY (ARRAY[%'
      or pg_get_constraintdef(c.oid) like '%~ ''^%')`;

type Column = { readonly table: string; readonly column: string; readonly type: string };

/** Text and JSON of the five domains that could name a person. */
export async function freeColumns(owner: Kysely<DB>): Promise<readonly Column[]> {
  const { rows } = await sql<Column>`select n.nspname || '.' || c.relname as table,
      a.attname as column, format_type(a.atttypid, null) as type
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('vehicles', 'rentals', 'maintenance', 'people', 'accounting', 'events')
      and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped
      and a.attgenerated = '' and a.attidentity = ''
      and format_type(a.atttypid, null) in ('text', 'text[]', 'jsonb')
      and not exists (select from (${LISTED}) l
        where l.conrelid = a.attrelid and l.attnum = a.attnum)
    order by 1, 2`.execute(owner);
  return rows.filter(({ column }) => !CODES.test(column));
}

const ANYTHING: Readonly<Record<string, string>> = {
  text: `'x'`,
  uuid: 'gen_random_uuid()',
  integer: '1',
  bigint: '1',
  boolean: 'false',
  bytea: `'x'::bytea`,
  jsonb: `'{}'::jsonb`,
  date: 'current_date',
  'timestamp with time zone': 'now()',
};

/** A row with what is given and anything where something must be; the table's checks are gone then. */
export async function insertAnyhow(
  owner: Kysely<DB>,
  table: string,
  given: Readonly<Record<string, unknown>>,
): Promise<void> {
  await owner.transaction().execute(async (tx) => {
    const { rows: checks } = await sql<{ name: string }>`select conname as name from pg_constraint
      where conrelid = ${table}::regclass and contype = 'c'`.execute(tx);
    for (const { name } of checks) {
      await sql`alter table ${sql.table(table)} drop constraint ${sql.id(name)}`.execute(tx);
    }
    const { rows } = await sql<{ name: string; type: string }>`select a.attname as name,
        format_type(a.atttypid, null) as type
      from pg_attribute a where a.attrelid = ${table}::regclass and a.attnum > 0 and a.attnotnull
        and not a.atthasdef and a.attidentity = '' and not a.attisdropped`.execute(tx);
    const missing = rows.filter(({ name }) => !Object.hasOwn(given, name));
    const names = [...Object.keys(given), ...missing.map(({ name }) => name)];
    const values = [
      ...Object.values(given).map((value) => sql`${value}`),
      ...missing.map(({ type }) => sql.raw(ANYTHING[type] ?? 'null')),
    ];
    await sql`select set_config('app.principal', 'system:test', true)`.execute(tx);
    await sql`set local session_replication_role = replica`.execute(tx);
    await sql`insert into ${sql.table(table)} (${sql.join(names.map((name) => sql.id(name)))})
      values (${sql.join(values)})`.execute(tx);
  });
}

/** In rows that are there and meet the condition; guards look away. Answers how many it found. */
export async function plantIn(
  owner: Kysely<DB>,
  { table, column, type }: Column,
  condition: string,
): Promise<number> {
  const value = type === 'jsonb' ? sql`to_jsonb(${WORD}::text)` : sql`${WORD}::text`;
  const given = type === 'text[]' ? sql`array[${WORD}]` : value;
  return owner.transaction().execute(async (tx) => {
    await sql`select set_config('app.principal', 'system:test', true)`.execute(tx);
    await sql`set local session_replication_role = replica`.execute(tx);
    const { numAffectedRows } = await sql`update ${sql.table(table)}
      set ${sql.id(column)} = ${given} where ${sql.raw(condition)}`.execute(tx);
    return Number(numAffectedRows ?? 0);
  });
}

/** The columns that hold it. */
export async function foundIn(
  owner: Kysely<DB>,
  columns: readonly Column[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { table, column } of columns) {
    const { rows } = await sql`select from ${sql.table(table)}
      where ${sql.id(column)}::text like ${`%${WORD}%`} limit 1`.execute(owner);
    if (rows.length > 0) found.push(`${table}.${column}`);
  }
  return found;
}
