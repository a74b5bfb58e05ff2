// Vehicles with holds on them, and how the calendar asks about those.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { transact } from '../../db/client.ts';
import { applyHold } from '../../db/commands/hold-decisions.ts';
import type { HoldTerms } from '../../db/commands/holds.ts';
import type { Role } from '../../domain/people.ts';
import type { TestDatabase } from './database.ts';
import { AGENT, plantFleet } from './fleet.ts';

export const MANAGER: readonly Role[] = ['branch-manager'];
export const LOOKED_AT = { reason: 'looked at' };

export async function aVehicle(t: TestDatabase) {
  const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 1 });
  return { branchId, vehicleId: vehicleIds[0] as string };
}

export type Over = Partial<HoldTerms>;

export async function held(t: TestDatabase, vehicleId: string, over: Over = {}) {
  const hold = { type: 'other', severity: 'hard', reason: 'planted', ...over } as const;
  const wanted = { id: uuidv7(), vehicleId, hold };
  return applyHold(t.db, AGENT, wanted, new Date().toISOString());
}

/** As the calendar asks: null, or the id of what blocks. */
export async function blocked(
  t: TestDatabase,
  vehicleId: string,
  from: string,
  to: string,
): Promise<string | null> {
  return transact(t.db, 'rentals_rw', AGENT, async (tx) => {
    const { rows } = await sql<{ id: string | null }>`select
      vehicles.blocking_hold(${vehicleId}, tstzrange(${from}, ${to})) ->> 'holdId' as id`.execute(
      tx,
    );
    return rows[0]?.id ?? null;
  });
}

export async function warned(
  t: TestDatabase,
  vehicleId: string,
  from: string,
  to: string,
): Promise<readonly string[]> {
  return transact(t.db, 'rentals_rw', AGENT, async (tx) => {
    const { rows } = await sql<{ holds: readonly { readonly holdId: string }[] }>`select
      vehicles.warning_holds(${vehicleId}, tstzrange(${from}, ${to})) as holds`.execute(tx);
    return (rows[0]?.holds ?? []).map(({ holdId }) => holdId);
  });
}

export async function approval(
  t: TestDatabase,
  holdId: string,
  { status = 'approved', branchId = null as string | null } = {},
): Promise<string> {
  const id = uuidv7();
  const by = status === 'open' ? null : 'staff:second';
  await sql`insert into people.approval (id, kind, subject_type, subject_id, branch_id, amount,
      reason, requested_by, requested_at, expires_at, status, decided_by, decided_at)
    values (${id}, 'hold-release', 'hold', ${holdId}, ${branchId}, 0, 'asked', 'staff:first',
      now(), now() + interval '1 day', ${status}, ${by}::text,
      case when ${by}::text is null then null else now() end)`.execute(t.owner);
  return id;
}

export async function told(t: TestDatabase, holdId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ type: string }>`select type from events.outbox
    where aggregate_id = ${holdId} order by seq`.execute(t.owner);
  return rows.map(({ type }) => type);
}
