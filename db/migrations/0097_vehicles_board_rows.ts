// The fleet board is read in rows by a query of its own: the vehicles of a branch by index.
import { type Kysely, sql } from 'kysely';

/**
 * One text of all, as vehicles.board made it, was put together several times over and sent only when
 * it was whole; db/queries/fleet-board.ts reads it row by row.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index vehicle_at on vehicles.vehicle (branch_id)`.execute(db);
  await sql`drop function vehicles.board(text, text, timestamptz, timestamptz)`.execute(db);
}
