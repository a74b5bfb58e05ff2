// Travel times between branches: how long a drive takes, set by people, with event and audit row.
import { sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';
import { codeAggregate, publish } from '../outbox.ts';
import type { TravelTimeRow } from '../queries/travel-times.ts';
import { recordAudit } from './audit.ts';
import { named } from './master-data.ts';

export type TravelTime = {
  readonly fromBranchId: string;
  readonly toBranchId: string;
  readonly minutes: number;
};

/**
 * For that way; for the way back too, as long as that has none of its own. Drives that are planned
 * keep their times. What is so already changes nothing. Throws `not-found` for an unknown branch.
 */
export function setTravelTime(db: Db, acting: Acting, time: TravelTime): Promise<TravelTimeRow> {
  const { fromBranchId, toBranchId, minutes } = time;
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const { rows } = await named(() =>
      sql<TravelTimeRow>`insert into vehicles.travel_time as t (from_branch, to_branch, minutes)
        values (${fromBranchId}, ${toBranchId}, ${minutes})
        on conflict (from_branch, to_branch) do update
          set minutes = excluded.minutes, version = t.version + 1
          where t.minutes <> excluded.minutes returning *`.execute(tx),
    );
    const [set] = rows;
    if (set === undefined) {
      const same = await sql<TravelTimeRow>`select * from vehicles.travel_time
        where from_branch = ${fromBranchId} and to_branch = ${toBranchId}`.execute(tx);
      return same.rows[0] as TravelTimeRow;
    }
    const subjectId = `${fromBranchId}/${toBranchId}`;
    await publish(tx, {
      type: 'forecourt.travel-time.set.v1',
      aggregateId: codeAggregate('travel-time', subjectId),
      sequence: set.version,
      data: time,
    });
    const subject = { subjectType: 'travel_time', subjectId } as const;
    await recordAudit(tx, { action: 'travel-time.set', ...subject, after: { minutes } });
    return set;
  });
}
