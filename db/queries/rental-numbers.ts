// The numbers of rentals, for who has only their ids.
import { type Acting, type Db, transact } from '../client.ts';

/** By id; a rental that the asking person may not see has none. */
export function numbersOf(
  db: Db,
  acting: Acting,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  return transact(db, 'api_read', acting, async (tx) => {
    const rows = await tx
      .selectFrom('rentals.rental')
      .select(['id', 'number'])
      .where('id', 'in', ids.length === 0 ? [NOBODY] : [...ids])
      .execute();
    return new Map(rows.map(({ id, number }) => [id, number]));
  });
}

const NOBODY = '00000000-0000-0000-0000-000000000000';
