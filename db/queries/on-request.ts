// Reads of the classes that are on request.
import { sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';
import type { OnRequestKey, OnRequestRow } from '../commands/on-request.ts';

/** Those in force at a branch, by class. */
export function listOnRequest(
  db: Db,
  acting: Acting,
  branchId: string,
): Promise<readonly OnRequestRow[]> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<OnRequestRow>`select * from vehicles.on_request
      where branch_id = ${branchId} and active order by class_id`.execute(tx);
    return rows;
  });
}

export async function onRequestOf(
  db: Db,
  acting: Acting,
  { branchId, classId }: OnRequestKey,
): Promise<OnRequestRow | undefined> {
  const rows = await listOnRequest(db, acting, branchId);
  return rows.find((row) => row.class_id === classId);
}
