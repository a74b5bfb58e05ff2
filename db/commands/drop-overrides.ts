// A manager's word for an old key drop: the reason is kept before the check-in, and audited when needed.
import { sql } from 'kysely';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { reasonIn, recordAudit } from './audit.ts';

/** The reason of the latest try stands: a check-in that was refused is given one anew. */
export function grantDrop(db: Db, acting: Acting, rentalId: string, reason: string): Promise<void> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    await sql`insert into rentals.drop_override (rental_id, reason, granted_by)
      values (${rentalId}, ${reason}, ${rowAccess(acting).principal})
      on conflict (rental_id) do update
        set reason = excluded.reason, granted_by = excluded.granted_by`.execute(tx);
  });
}

/** For the report of overrides, without words. */
export async function recordDropOverride(
  tx: Tx,
  of: { readonly rentalId: string; readonly commandId: string; readonly droppedAt: string },
): Promise<void> {
  const { rentalId, commandId, droppedAt } = of;
  const { rows } = await sql`select from rentals.drop_override
    where rental_id = ${rentalId}`.execute(tx);
  if (rows.length === 0) throw new Error(`The old key drop of rental ${rentalId} has no reason.`);
  await recordAudit(tx, {
    action: 'rental.override-drop',
    subjectType: 'rental',
    subjectId: rentalId,
    commandId,
    reason: reasonIn('rentals.drop_override'),
    after: { droppedAt },
  });
}
