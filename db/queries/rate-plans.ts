// Reads of rate plans: their versions, those of one plan or of all.
import { type SqlBool, sql } from 'kysely';
import type { RatePlan } from '../../domain/rate-plan.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { type Page, type PageRequest, paged } from './page.ts';

export type RatePlanRow = {
  readonly id: string;
  readonly version: number;
  readonly valid_from: string;
  readonly terms: RatePlan;
};

const READER = 'system:api';

/** By id and version; `after` is a key such as `GOLD-1/1`. */
export function listRatePlans(
  db: Db,
  { planId, after, limit }: PageRequest & { readonly planId?: string | undefined },
): Promise<Page<RatePlanRow>> {
  const [id, version] = (after ?? '').split('/');
  const beyond = after && sql<SqlBool>`(id, version) > (${id}, ${version}::int)`;
  const conditions = [
    sql<SqlBool>`true`,
    ...(beyond ? [beyond] : []),
    ...(planId === undefined ? [] : [sql<SqlBool>`id = ${planId}`]),
  ];
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql<RatePlanRow>`select id, version, valid_from, terms
      from rentals.rate_plan where ${sql.join(conditions, sql` and `)}
      order by id, version limit ${limit + 1}`.execute(tx);
    return paged(rows, limit);
  });
}

export function ratePlanVersion(
  db: Db,
  id: string,
  version: number,
): Promise<RatePlanRow | undefined> {
  return transact(db, 'api_read', READER, (tx) => ratePlanOf(tx, id, version));
}

export async function ratePlanOf(
  tx: Tx,
  id: string,
  version: number,
): Promise<RatePlanRow | undefined> {
  const { rows } = await sql<RatePlanRow>`select id, version, valid_from, terms
    from rentals.rate_plan where id = ${id} and version = ${version}`.execute(tx);
  return rows[0];
}
