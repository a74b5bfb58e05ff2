// Branches and vehicle classes: each change with its event and audit row.
import type { Selectable } from 'kysely';
import type { DeskTerms } from '../../domain/rental/desk.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { codeAggregate, publish } from '../outbox.ts';
import type { VehiclesBranch, VehiclesClass } from '../schema.ts';
import { recordAudit } from './audit.ts';
import { insertOnce, updateVersion } from './master-data.ts';

export type BranchRow = Selectable<VehiclesBranch>;
export type ClassRow = Selectable<VehiclesClass>;

export type NewBranch = {
  readonly id: string;
  readonly name: string;
  readonly timeZone: string;
  readonly entityId: string;
  readonly turnaroundMinutes?: number | undefined;
  readonly noShowGraceMinutes?: number | undefined;
  readonly shortageLeadMinutes?: number | undefined;
  readonly overdueGraceMinutes?: number | undefined;
  readonly reminderMinutes?: number | undefined;
  /** Availability counts ordered vehicles, too, apart from free ones. */
  readonly showsPlanned?: boolean | undefined;
  /** For ever: nothing moves into the sandbox or out of it. */
  readonly sandbox?: boolean | undefined;
} & { readonly [K in keyof DeskTerms]?: number | undefined };
/** Another time zone moves no rental: see `affectedRentals` (decisions.md 45). */
export type BranchChange = Partial<Omit<NewBranch, 'id' | 'entityId' | 'sandbox'>>;
export type NewClass = { readonly id: string; readonly name: string };

/** Throws `duplicate` when the code is taken by another branch. */
export function registerBranch(db: Db, acting: Acting, branch: NewBranch): Promise<BranchRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const columns = { ...branchColumns(branch), id: branch.id };
    const { row, created } = await insertOnce<BranchRow>(tx, 'vehicles.branch', columns);
    if (created) await recordBranch(tx, 'register', row, branch);
    return row;
  });
}

/**
 * Throws `not-found`, `version-conflict` when `version` is not the newest, and `value-refused` for
 * terms that do not agree with each other.
 */
export function updateBranch(
  db: Db,
  acting: Acting,
  id: string,
  version: number,
  change: BranchChange,
): Promise<BranchRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const columns = branchColumns(change);
    const row = await updateVersion<BranchRow>(tx, 'vehicles.branch', id, version, columns);
    await recordBranch(tx, 'update', row, change);
    return row;
  });
}

/** Throws `duplicate` when the code is taken by another class. */
export function registerClass(db: Db, acting: Acting, named: NewClass): Promise<ClassRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const { row, created } = await insertOnce<ClassRow>(tx, 'vehicles.class', named);
    if (created) await recordClass(tx, 'register', row, named);
    return row;
  });
}

export function updateClass(
  db: Db,
  acting: Acting,
  id: string,
  version: number,
  change: { readonly name?: string | undefined },
): Promise<ClassRow> {
  return transact(db, 'vehicles_rw', acting, async (tx) => {
    const row = await updateVersion<ClassRow>(tx, 'vehicles.class', id, version, change);
    await recordClass(tx, 'update', row, change);
    return row;
  });
}

const DONE = { register: 'registered', update: 'updated' } as const;
type Verb = keyof typeof DONE;

/** The fact and the audit row of a change that made `row` what it is. */
export async function recordBranch(
  tx: Tx,
  verb: Verb,
  row: BranchRow,
  after: object,
): Promise<void> {
  await publish(tx, {
    type: `forecourt.branch.${DONE[verb]}.v1`,
    aggregateId: codeAggregate('branch', row.id),
    sequence: row.version,
    data: { branchId: row.id, entityId: row.entity_id, timeZone: row.time_zone },
  });
  const subject = { subjectType: 'branch', subjectId: row.id } as const;
  await recordAudit(tx, { action: `branch.${verb}`, ...subject, after });
}

async function recordClass(tx: Tx, verb: Verb, row: ClassRow, after: object): Promise<void> {
  await publish(tx, {
    type: `forecourt.class.${DONE[verb]}.v1`,
    aggregateId: codeAggregate('class', row.id),
    sequence: row.version,
    data: { classId: row.id },
  });
  const subject = { subjectType: 'class', subjectId: row.id } as const;
  await recordAudit(tx, { action: `class.${verb}`, ...subject, after });
}

function branchColumns(branch: Partial<NewBranch>) {
  return {
    id: branch.id,
    name: branch.name,
    time_zone: branch.timeZone,
    entity_id: branch.entityId,
    turnaround_minutes: branch.turnaroundMinutes,
    no_show_grace_minutes: branch.noShowGraceMinutes,
    shortage_lead_minutes: branch.shortageLeadMinutes,
    overdue_grace_minutes: branch.overdueGraceMinutes,
    return_reminder_minutes: branch.reminderMinutes,
    early_check_out_minutes: branch.earlyCheckOutMinutes,
    undo_minutes: branch.undoMinutes,
    undo_km: branch.undoKm,
    not_returned_mail_hours: branch.notReturnedMailHours,
    not_returned_call_hours: branch.notReturnedCallHours,
    not_returned_manager_hours: branch.notReturnedManagerHours,
    shows_planned: branch.showsPlanned,
    is_sandbox: branch.sandbox,
  };
}
