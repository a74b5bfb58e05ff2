// The time zones of branches, remembered: a branch keeps the zone that it was opened with.

import type { Db } from '../db/client.ts';
import { branchById } from '../db/queries/vehicles.ts';

/** Throws for an unknown branch: whoever asks has a rental that names it. */
export type BranchZones = (branchId: string) => Promise<string>;

export function branchZones(db: Db): BranchZones {
  const known = new Map<string, string>();
  return async (branchId) => {
    const zone = known.get(branchId) ?? (await branchById(db, branchId))?.time_zone;
    if (zone === undefined) throw new Error(`Branch ${branchId} has no row.`);
    known.set(branchId, zone);
    return zone;
  };
}
