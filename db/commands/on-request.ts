// Which classes are on request at which branches: set and withdrawn, each with event and audit row.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { codeAggregate, publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { named } from './master-data.ts';

export type OnRequestRow = {
  readonly branch_id: string;
  readonly class_id: string;
  /** How long a person has for an answer; it is due two hours before pick-up at the latest. */
  readonly answer_minutes: number;
  readonly active: boolean;
  readonly version: number;
};

export type OnRequestKey = { readonly branchId: string; readonly classId: string };

/**
 * `version` is the known one, null where none is in force. What waits for an answer keeps its time.
 * Throws `not-found` for an unknown branch or class, `version-conflict`.
 */
export function setOnRequest(
  db: Db,
  acting: Acting,
  key: OnRequestKey,
  version: number | null,
  answerMinutes: number,
): Promise<OnRequestRow> {
  const { branchId, classId } = key;
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const { rows } = await named(() =>
      sql<OnRequestRow>`insert into vehicles.on_request as t (branch_id, class_id, answer_minutes)
        select ${branchId}, ${classId}, ${answerMinutes}
        where ${version}::int is null or exists (select from vehicles.on_request
          where branch_id = ${branchId} and class_id = ${classId})
        on conflict (branch_id, class_id) do update
          set answer_minutes = excluded.answer_minutes, active = true, version = t.version + 1
          where case when t.active then t.version = ${version}::int else ${version}::int is null end
        returning *`.execute(tx),
    );
    return recorded(tx, key, 'set', rows[0]);
  });
}

/** Throws `not-found` where none is in force, `version-conflict`. */
export function withdrawOnRequest(
  db: Db,
  acting: Acting,
  key: OnRequestKey,
  version: number,
): Promise<OnRequestRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const { rows } = await sql<OnRequestRow>`update vehicles.on_request
      set active = false, version = version + 1
      where branch_id = ${key.branchId} and class_id = ${key.classId} and active
        and version = ${version} returning *`.execute(tx);
    return recorded(tx, key, 'withdraw', rows[0]);
  });
}

const DONE = { set: 'set', withdraw: 'withdrawn' } as const;

async function recorded(
  tx: Tx,
  { branchId, classId }: OnRequestKey,
  verb: keyof typeof DONE,
  row: OnRequestRow | undefined,
): Promise<OnRequestRow> {
  if (row === undefined) throw await conflict(tx, branchId, classId);
  const subjectId = `${branchId}/${classId}`;
  await publish(tx, {
    type: `forecourt.on-request.${DONE[verb]}.v1`,
    aggregateId: codeAggregate('on-request', subjectId),
    sequence: row.version,
    data: { branchId, classId, answerMinutes: row.answer_minutes },
  });
  const subject = { subjectType: 'on_request', subjectId } as const;
  await recordAudit(tx, { action: `on-request.${verb}`, ...subject, after: row });
  return row;
}

async function conflict(tx: Tx, branchId: string, classId: string): Promise<DomainError> {
  const { rows } = await sql<{ version: number }>`select version from vehicles.on_request
    where branch_id = ${branchId} and class_id = ${classId} and active`.execute(tx);
  const version = rows[0]?.version;
  return version === undefined
    ? new DomainError('not-found', 'This class is not on request here.')
    : new DomainError('version-conflict', 'Somebody changed it meanwhile.', { version });
}
