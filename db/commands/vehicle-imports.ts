// Imports of vehicles: a file is checked and kept, and then registered as a whole or not at all.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { hasErrors, type ImportProblem } from '../../domain/vehicle-import.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import {
  type ImportedVehicle,
  type ImportRow,
  importById,
  registerProblems,
} from '../queries/vehicle-imports.ts';
import { recordAudit } from './audit.ts';
import { promotePool } from './calendar.ts';
import { holdForRecalls } from './recalls.ts';
import { registerVehiclesIn } from './vehicle-batch.ts';

/** A report names the first of more problems than anybody reads. */
const MAX_REPORTED = 1_000;

export type CheckedFile = {
  readonly id: string;
  readonly format: 'csv' | 'xlsx';
  /** Of the file's bytes, in hex. */
  readonly contentSha256: string;
  /** How many the file has, faulty ones included. */
  readonly rowCount: number;
  readonly vehicles: readonly ImportedVehicle[];
  /** What the file alone tells. */
  readonly problems: readonly ImportProblem[];
};

/** The dry run: adds what the register has against the file, and keeps both. Repeats answer the same. */
export async function checkImport(db: Db, acting: Acting, file: CheckedFile): Promise<ImportRow> {
  const known = await importById(db, acting, file.id);
  if (known !== undefined) return known;
  const inRegister = await registerProblems(db, acting, file.vehicles);
  const problems = inOrder([...file.problems, ...inRegister]);
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const isGood = !hasErrors(problems);
    const { rows } = await sql<ImportRow>`
      insert into vehicles.import (id, format, content_sha256, status, row_count, rows,
        error_count, warning_count, problems)
      values (${file.id}, ${file.format}, ${file.contentSha256},
        ${isGood ? 'checked' : 'refused'}, ${file.rowCount},
        ${isGood ? JSON.stringify(file.vehicles) : null}, ${countOf(problems, 'error')},
        ${countOf(problems, 'warning')}, ${reported(problems)})
      returning *`.execute(tx);
    const row = rows[0] as ImportRow;
    await recordAudit(tx, audit('vehicle-import.check', row));
    return row;
  });
}

/**
 * Registers every vehicle in one transaction, with the event and audit row of each. Who applies it
 * again, or at the same time, is answered what the first one did. Undefined when there is none.
 * Throws `import-refused` when it has errors: those of the dry run, or what the register has against
 * it by now, which is its new report.
 */
export async function applyImport(
  db: Db,
  acting: Acting,
  id: string,
): Promise<ImportRow | undefined> {
  try {
    return await transact(db, 'vehicles_rw', acting, (tx) => applyIn(tx, acting, id));
  } catch (error) {
    if (!(error instanceof DomainError) || !CHANGED.includes(error.code)) throw error;
    // Nothing is registered. Whatever came between stands in the register now.
    throw (await isRefusedNow(db, acting, id)) ? refused(id) : error;
  }
}

/** How the register says that a row which was good at the dry run is not any more. */
const CHANGED: readonly string[] = ['duplicate', 'not-found', 'value-refused'];

async function applyIn(tx: Tx, acting: Acting, id: string): Promise<ImportRow | undefined> {
  const found = await tx
    .selectFrom('vehicles.import')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (found === undefined || found.status === 'applied') return found;
  if (found.status === 'refused') throw refused(id);
  const vehicles = found.rows as unknown as readonly ImportedVehicle[];
  const pools = new Map<string, readonly [branchId: string, classId: string]>();
  const registered = await registerVehiclesIn(
    tx,
    vehicles.map(({ vehicle }) => vehicle),
  );
  await holdForRecalls(tx, registered);
  for (const { status, branch_id: branchId, class_id: classId } of registered) {
    if (status === 'in_service') pools.set(`${branchId}/${classId}`, [branchId, classId]);
  }
  const { rows } = await sql<ImportRow>`
    update vehicles.import set status = 'applied', rows = null, version = version + 1,
      applied_by = ${rowAccess(acting).principal}, applied_at = now()
    where id = ${id} returning *`.execute(tx);
  const row = rows[0] as ImportRow;
  await recordAudit(tx, audit('vehicle-import.apply', row));
  // Last, because each takes its pool's lock; in one order, so that two never wait for each other.
  for (const [, [branchId, classId]] of [...pools].sort(([a], [b]) => (a < b ? -1 : 1))) {
    await promotePool(tx, branchId, classId);
  }
  return row;
}

/** Checks against the register of now; what it finds is the new report. */
async function isRefusedNow(db: Db, acting: Acting, id: string): Promise<boolean> {
  const found = await importById(db, acting, id);
  if (found?.status !== 'checked') return found?.status === 'refused';
  const vehicles = found.rows as unknown as readonly ImportedVehicle[];
  const before = found.problems as unknown as readonly ImportProblem[];
  const problems = inOrder([...before, ...(await registerProblems(db, acting, vehicles))]);
  if (!hasErrors(problems)) return false;
  await transact(db, 'vehicles_rw', acting, async (tx) => {
    await sql`update vehicles.import set status = 'refused', rows = null, version = version + 1,
        error_count = ${countOf(problems, 'error')}, problems = ${reported(problems)}
      where id = ${id} and status = 'checked'`.execute(tx);
  });
  return true;
}

function refused(id: string): DomainError {
  return new DomainError(
    'import-refused',
    'Nothing was registered: read the report, mend the file and upload it again.',
    { importId: id },
  );
}

function inOrder(problems: readonly ImportProblem[]): readonly ImportProblem[] {
  return problems.toSorted((a, b) => a.row - b.row);
}

function countOf(problems: readonly ImportProblem[], severity: ImportProblem['severity']): number {
  return problems.filter((problem) => problem.severity === severity).length;
}

function reported(problems: readonly ImportProblem[]): string {
  return JSON.stringify(problems.slice(0, MAX_REPORTED));
}

function audit(action: string, row: ImportRow) {
  const { status, row_count: rows, error_count: errors, content_sha256: sha256 } = row;
  const after = { status, rows, errors, sha256 };
  return { action, subjectType: 'vehicle_import', subjectId: row.id, after } as const;
}
