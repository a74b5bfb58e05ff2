// The upgrade ladder of a class: what its renters may be given instead, set as a whole.
import { sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';
import { codeAggregate, publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import type { ClassRow } from './branches.ts';
import { named, updateVersion } from './master-data.ts';

/**
 * The nearest class first; an empty ladder offers none. Its version is the class's. Throws
 * `not-found` for an unknown class, `version-conflict`, `value-refused` when a class would be an
 * upgrade of itself, however far up.
 */
export function setUpgrades(
  db: Db,
  acting: Acting,
  classId: string,
  version: number,
  upgrades: readonly string[],
): Promise<ClassRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const row = await updateVersion<ClassRow>(tx, 'vehicles.class', classId, version, {});
    await sql`update vehicles.upgrade set rank = null
      where class_id = ${classId} and rank is not null`.execute(tx);
    if (upgrades.length > 0) {
      const rows = upgrades.map((next, at) => sql`(${classId}, ${next}, ${at + 1})`);
      await named(() =>
        sql`insert into vehicles.upgrade (class_id, next_class_id, rank) values ${sql.join(rows)}
          on conflict (class_id, next_class_id) do update set rank = excluded.rank`.execute(tx),
      );
    }
    await publish(tx, {
      type: 'forecourt.class.updated.v1',
      aggregateId: codeAggregate('class', classId),
      sequence: row.version,
      data: { classId },
    });
    const subject = { subjectType: 'class', subjectId: classId } as const;
    await recordAudit(tx, { action: 'class.set-upgrades', ...subject, after: { upgrades } });
    return row;
  });
}
