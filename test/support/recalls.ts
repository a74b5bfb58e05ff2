// Notices of recalls, and fleets that they mean.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { openRecall } from '../../db/commands/recalls.ts';
import type { RecallNotice } from '../../domain/recall.ts';
import type { TestDatabase } from './database.ts';
import { AGENT, hoursFromNow, plantFleet } from './fleet.ts';

let made = 0;

/** A fleet whose make nobody else has, so that recalls do not meet. */
export async function fleet(t: TestDatabase, vehicles: number) {
  made += 1;
  const make = `Make ${made}`;
  const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles });
  await sql`update vehicles.vehicle set make = ${make} where branch_id = ${branchId}`.execute(
    t.owner,
  );
  return { make, branchId, vehicleIds };
}

export function notice(make: string, over: Partial<RecallNotice> = {}): RecallNotice {
  return {
    title: 'Airbag inflator',
    authorityNumber: `26V-${uuidv7()}`,
    jurisdiction: 'US',
    noticeReceivedAt: hoursFromNow(-1),
    isSafety: true,
    hasInterimRemedy: false,
    isRemedyAvailable: true,
    scopes: [{ make }],
    ...over,
  };
}

export function open(t: TestDatabase, given: RecallNotice, recallId = uuidv7()) {
  return openRecall(t.db, AGENT, recallId, given, new Date().toISOString());
}
