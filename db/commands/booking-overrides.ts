// A manager's overrides: the reason is stored before the booking, and audited when it was needed.
import { sql } from 'kysely';
import type { RentalRequest } from '../../domain/rental.ts';
import type { Stop } from '../../domain/stop-sell.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { reasonIn, recordAudit } from './audit.ts';

/** A repeat keeps the first reason, unless it is given anew for a request that waits. */
export function grantOverride(
  db: Db,
  acting: Acting,
  rentalId: string,
  reason: string,
  { anew = false }: { readonly anew?: boolean } = {},
): Promise<void> {
  const kept = anew
    ? sql`do update set reason = excluded.reason, granted_by = excluded.granted_by`
    : sql`do nothing`;
  return transact(db, 'rentals_rw', acting, async (tx) => {
    await sql`insert into rentals.booking_override (rental_id, reason, granted_by)
      values (${rentalId}, ${reason}, ${rowAccess(acting).principal})
      on conflict (rental_id) ${kept}`.execute(tx);
  });
}

/** One audit row for each rule that was overridden; the report of overrides shows them, without words. */
export async function recordOverrides(
  tx: Tx,
  { id, override }: Pick<RentalRequest, 'id' | 'override'>,
  stops: readonly Stop[],
): Promise<void> {
  if (override === undefined) return;
  const { rows } = await sql<{ overbooked: boolean }>`select
      vehicles.waits_by_override(rental_id) as overbooked
    from rentals.booking_override where rental_id = ${id}`.execute(tx);
  const [granted] = rows;
  if (granted === undefined) throw new Error(`The override of rental ${id} has no reason.`);
  const reason = reasonIn('rentals.booking_override');
  const of = { subjectType: 'rental', subjectId: id, commandId: id, reason } as const;
  for (const stop of stops) {
    await recordAudit(tx, { action: 'rental.override-stop-sell', ...of, after: stop });
  }
  if (granted.overbooked)
    await recordAudit(tx, { action: 'rental.overbook', ...of, after: override });
}
