// Inserting and updating master data: an id is used once, an update names the version it knows.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Tx } from '../client.ts';

type Value = string | number | boolean | Buffer | readonly string[] | null | undefined;
type Columns = Readonly<Record<string, Value>>;
type Table =
  | 'vehicles.branch'
  | 'vehicles.class'
  | 'vehicles.vehicle'
  | 'vehicles.document'
  | 'vehicles.hold'
  | 'vehicles.recall'
  | 'vehicles.stop_sell'
  | 'vehicles.overbooking_limit'
  | 'rentals.customer'
  | 'rentals.customer_block'
  | 'rentals.inspection'
  | 'rentals.inspection_file'
  | 'people.partner'
  | 'accounting.agent';

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';
const CHECK_VIOLATION = '23514';
const EXCLUSION_VIOLATION = '23P01';

/**
 * Inserts a row; a repeat with the same id and values answers the row that is there, `created` false.
 * Throws `duplicate` when the id has other values or another unique column is taken, `not-found` when
 * it names a branch or class that does not exist.
 */
export async function insertOnce<Row extends object>(
  tx: Tx,
  table: Table,
  columns: Columns & { readonly id: string },
): Promise<{ readonly row: Row; readonly created: boolean }> {
  const given = present(columns);
  const names = sql.join(given.map(([name]) => sql.id(name)));
  const values = sql.join(given.map(([, value]) => sql`${value}`));
  return named(async () => {
    const inserted = await sql<Row>`insert into ${sql.table(table)} (${names}) values (${values})
      on conflict (id) do nothing returning *`.execute(tx);
    if (inserted.rows[0] !== undefined) return { row: inserted.rows[0], created: true };
    const { rows } = await sql<Row>`select * from ${sql.table(table)}
      where id = ${columns.id}`.execute(tx);
    const row = rows[0] as Row & Columns;
    if (given.every(([name, value]) => row[name] === value)) return { row, created: false };
    throw new DomainError('duplicate', 'It exists already.', { id: columns.id });
  });
}

/** Changes the columns given. Throws `not-found`, or `version-conflict` when the row moved on. */
export async function updateVersion<Row>(
  tx: Tx,
  table: Table,
  id: string,
  version: number,
  columns: Columns,
): Promise<Row> {
  const changes = present(columns).map(([name, value]) => sql`${sql.id(name)} = ${value}`);
  const { rows } = await named(() =>
    sql<Row>`update ${sql.table(table)}
      set ${sql.join([...changes, sql`version = version + 1`])}
      where id = ${id} and version = ${version} returning *`.execute(tx),
  );
  if (rows[0] !== undefined) return rows[0];
  const known = await sql<{ version: number }>`select version from ${sql.table(table)}
    where id = ${id}`.execute(tx);
  const newest = known.rows[0]?.version;
  if (newest === undefined) throw new DomainError('not-found', 'There is no such record.');
  throw new DomainError('version-conflict', 'Somebody changed it meanwhile.', { version: newest });
}

function present(columns: Columns) {
  return Object.entries(columns).filter(([, value]) => value !== undefined);
}

/** Says in our words which constraint a statement broke. */
export async function named<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, constraint } = error as { readonly code?: string; readonly constraint?: string };
    if (code === UNIQUE_VIOLATION || code === EXCLUSION_VIOLATION) {
      throw new DomainError('duplicate', 'It exists already.', { constraint: constraint ?? '' });
    }
    if (code === FOREIGN_KEY_VIOLATION) {
      const of = /class|contact|customer|entity/.exec(constraint ?? '')?.[0] ?? 'branch';
      throw new DomainError('not-found', `There is no such ${of}.`, { of });
    }
    if (code === CHECK_VIOLATION) {
      throw new DomainError('value-refused', 'A value is out of its range.', {
        constraint: constraint ?? '',
      });
    }
    throw error;
  }
}
