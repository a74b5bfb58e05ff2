// Lists by cursor: the last row is where the next page begins.
import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';
import type { DB } from '../schema.ts';

export type PageRequest = {
  /** The key of the last row already seen. */
  readonly after?: string | undefined;
  readonly limit: number;
};

export type Page<Row> = {
  readonly rows: readonly Row[];
  /** Whether another page follows the last of `rows`. */
  readonly more: boolean;
};

/** Makes a page of up to limit + 1 rows: the one too many only says that there is more. */
export function paged<Row>(found: readonly Row[], limit: number): Page<Row> {
  return { rows: found.slice(0, limit), more: found.length > limit };
}

/** Runs a list of one table whose order is that of its ids, from where the last page ended. */
export async function pageById<Table extends keyof DB, Row>(
  query: SelectQueryBuilder<DB, Table, Row>,
  { after, limit }: PageRequest,
): Promise<Page<Row>> {
  const beyond = after === undefined ? query : query.where(sql<boolean>`id > ${after}`);
  const found = await beyond
    .orderBy(sql`id`)
    .limit(limit + 1)
    .execute();
  return paged(found, limit);
}

/** A column of the list's table, one that no row leaves empty; the id decides between equals. */
export type Sort = { readonly column: string; readonly descending: boolean };

export const BY_ID: Sort = { column: 'id', descending: false };

/** The order of a list: for `orderBy`, and for `where` what comes after the row `after`. */
export function ordered(table: string, { column, descending }: Sort = BY_ID) {
  const [key, id] = [sql.ref(`t.${column}`), sql.ref('t.id')];
  const direction = sql.raw(descending ? 'desc' : 'asc');
  const beyond = sql.raw(descending ? '<' : '>');
  return {
    by: sql`${key} ${direction}, ${id} ${direction}`,
    after: (after: string): RawBuilder<boolean> => sql`(${key}, ${id}) ${beyond} (
      select k.${sql.id(column)}, k.id from ${sql.table(table)} k where k.id = ${after})`,
  };
}
