// The fleet board: every vehicle of a branch with what takes its time in a window, as one text.
import { sql } from 'kysely';
import { type Db, type RowAccess, rowAccess } from '../client.ts';
import { transactInOneTrip } from '../one-trip.ts';

export type BoardRequest = {
  readonly branchId: string;
  readonly classId?: string | undefined;
  /** Instants in UTC; the window is half-open. */
  readonly from: string;
  readonly to: string;
};

/**
 * The JSON text of `{vehicles, unassigned}` of vehicles.board (migration 0071), made by the server
 * because it is large and nobody here looks into it. Null when the branch is unknown.
 */
export async function fleetBoard(
  db: Db,
  access: RowAccess,
  { branchId, classId, from, to }: BoardRequest,
): Promise<string | null> {
  const { lit } = sql;
  const statement = sql<{ board: string | null }>`
    select vehicles.board(${lit(branchId)}, ${lit(classId ?? null)}, ${lit(from)}, ${lit(to)})::text
      as board`;
  // The board is the branch's, whoever has its vehicles now: rows are not hidden one by one.
  const wide = { ...rowAccess(access), scope: '*' };
  const [row] = await transactInOneTrip(db, 'api_read', wide, statement);
  return row?.board ?? null;
}
