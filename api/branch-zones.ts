// The time zones of branches, remembered for a while: they seldom change.
import type { Db } from '../db/client.ts';
import { branchById } from '../db/queries/vehicles.ts';

/** Throws for an unknown branch: whoever asks has a rental that names it. */
export type BranchZones = (branchId: string) => Promise<string>;

/** How long another process may show local times of the zone before. */
const KEPT_MS = 30_000;

export function branchZones(db: Db, nowMs: () => number = Date.now): BranchZones {
  const known = new Map<string, { readonly zone: string; readonly until: number }>();
  return async (branchId) => {
    const kept = known.get(branchId);
    if (kept !== undefined && kept.until > nowMs()) return kept.zone;
    const zone = (await branchById(db, branchId))?.time_zone;
    if (zone === undefined) throw new Error(`Branch ${branchId} has no row.`);
    known.set(branchId, { zone, until: nowMs() + KEPT_MS });
    return zone;
  };
}
