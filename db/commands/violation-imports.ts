// Files of notices: checked and kept, and then taken in as a whole or not at all.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { hasErrors, type ImportProblem } from '../../domain/vehicle-import.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import {
  type ImportedNotice,
  knownNotices,
  type ViolationImportRow,
  violationImportById,
} from '../queries/violations.ts';
import { recordAudit } from './audit.ts';
import { insertViolation, receivedFact, type ViolationRow } from './violations.ts';

/** A report names the first of more problems than anybody reads. */
const MAX_REPORTED = 1_000;

export type CheckedNotices = {
  readonly id: string;
  readonly format: 'csv' | 'xlsx';
  /** Of the file's bytes, in hex. */
  readonly contentSha256: string;
  /** How many the file has, faulty ones included. */
  readonly rowCount: number;
  readonly notices: readonly ImportedNotice[];
  /** What the file alone tells. */
  readonly problems: readonly ImportProblem[];
};

/** The dry run: adds which notices are known already, and keeps both. Repeats answer the same. */
export async function checkNotices(
  db: Db,
  acting: Acting,
  file: CheckedNotices,
): Promise<ViolationImportRow> {
  const before = await violationImportById(db, acting, file.id);
  if (before !== undefined) return before;
  const problems = [...file.problems, ...(await knownNotices(db, acting, file.notices))].toSorted(
    (a, b) => a.row - b.row,
  );
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const isGood = !hasErrors(problems);
    const { rows } = await sql<ViolationImportRow>`
      insert into rentals.violation_import (id, format, content_sha256, status, row_count, rows,
        error_count, warning_count, problems)
      values (${file.id}, ${file.format}, ${file.contentSha256},
        ${isGood ? 'checked' : 'refused'}, ${file.rowCount},
        ${isGood ? JSON.stringify(file.notices) : null}, ${isGood ? 0 : problems.length}, 0,
        ${JSON.stringify(problems.slice(0, MAX_REPORTED))})
      returning *`.execute(tx);
    const row = rows[0] as ViolationImportRow;
    await recordAudit(tx, audit('violation-import.check', row));
    return row;
  });
}

/**
 * Takes every notice in, in one transaction, with the event and audit row of each; matched in the
 * whole company. Who applies it again, or at the same time, is answered what the first one did.
 * Undefined when there is none. Throws `import-refused` when it has errors, or when a notice of it
 * came between: nothing is taken in then.
 */
export async function applyNotices(
  db: Db,
  acting: Acting,
  id: string,
): Promise<ViolationImportRow | undefined> {
  const own = await violationImportById(db, acting, id);
  if (own === undefined) return undefined;
  try {
    const wide = { ...rowAccess(acting), scope: '*' };
    return await transact(db, 'rentals_rw', wide, (tx) => applyIn(tx, acting, id));
  } catch (error) {
    if (error instanceof DomainError && error.code === 'duplicate') throw refused(id);
    throw error;
  }
}

async function applyIn(tx: Tx, acting: Acting, id: string): Promise<ViolationImportRow> {
  const found = await tx
    .selectFrom('rentals.violation_import')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (found.status === 'applied') return found;
  if (found.status === 'refused') throw refused(id);
  const taken: ViolationRow[] = [];
  for (const { notice } of found.rows as unknown as readonly ImportedNotice[]) {
    taken.push(await insertViolation(tx, notice));
  }
  await publish(tx, ...taken.map(receivedFact));
  await auditAll(tx, taken);
  const { rows } = await sql<ViolationImportRow>`
    update rentals.violation_import set status = 'applied', rows = null, version = version + 1,
      applied_by = ${rowAccess(acting).principal}, applied_at = now()
    where id = ${id} returning *`.execute(tx);
  const row = rows[0] as ViolationImportRow;
  await recordAudit(tx, audit('violation-import.apply', row));
  return row;
}

async function auditAll(tx: Tx, taken: readonly ViolationRow[]): Promise<void> {
  const after = taken.map(({ id, kind, status, rental_id: rentalId }) => {
    return { id, after: { kind, status, rentalId } };
  });
  await sql`select people.record_audit('violation.receive', 'violation', one ->> 'id', null, null,
      null, one -> 'after')
    from jsonb_array_elements(${JSON.stringify(after)}::jsonb) one`.execute(tx);
}

function refused(id: string): DomainError {
  return new DomainError(
    'import-refused',
    'Nothing was taken in: mend the file and upload it again.',
    { importId: id },
  );
}

function audit(action: string, row: ViolationImportRow) {
  const { status, row_count: rows, error_count: errors, content_sha256: sha256 } = row;
  const after = { status, rows, errors, sha256 };
  return { action, subjectType: 'violation_import', subjectId: row.id, after } as const;
}
