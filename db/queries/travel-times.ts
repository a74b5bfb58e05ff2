// Reads of travel times between branches.
import { type SqlBool, sql } from 'kysely';
import { type Db, transact } from '../client.ts';

export type TravelTimeRow = {
  readonly from_branch: string;
  readonly to_branch: string;
  readonly minutes: number;
  readonly version: number;
};

const READER = 'system:api';

/** Those of a branch, either way, or all; a pair without one takes the company's default. */
export function listTravelTimes(
  db: Db,
  branchId: string | undefined,
): Promise<readonly TravelTimeRow[]> {
  const theirs =
    branchId === undefined
      ? sql<SqlBool>`true`
      : sql<SqlBool>`${branchId} in (from_branch, to_branch)`;
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql<TravelTimeRow>`select * from vehicles.travel_time
      where ${theirs} order by from_branch, to_branch`.execute(tx);
    return rows;
  });
}
