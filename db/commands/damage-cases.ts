// Damage cases: reported, moved on and settled, each with its books, hold, event and audit row.
import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import { principalOf } from '../../domain/actor.ts';
import {
  type CaseCommand,
  type CaseReport,
  type CaseState,
  decide,
  hoursAfter,
} from '../../domain/damage-case.ts';
import { DomainError } from '../../domain/errors.ts';
import { type Difference, differences, isProposed, worstOf } from '../../domain/inspection.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { CASE_COLUMNS, caseFact } from '../damage-case-row.ts';
import { publish } from '../outbox.ts';
import { marksOf, outMarksFor } from '../queries/inspections.ts';
import { recordAudit } from './audit.ts';
import { changeOf } from './damage-changes.ts';
import { liftHoldOfSource, setHold } from './holds.ts';

export type Commanded<C> = {
  readonly commandId: string;
  readonly actor: Actor;
  readonly command: C;
};

/**
 * Opens a case for what an inspection at the return proposes, or for some of it; a severe damage
 * holds the vehicle until it is repaired or settled. Throws `not-found`, `invalid-state` for an
 * inspection that is not completed, was corrected or is of no return, `pre-existing-damage`,
 * `duplicate` for a damage that has a case.
 */
export function reportDamage(
  db: Db,
  { commandId, actor, command: report }: Commanded<CaseReport>,
): Promise<CaseState> {
  return transact(db, 'rentals_rw', principalOf(actor), async (tx) => {
    const known = await outcomeOf(tx, commandId);
    if (known !== undefined) return known;
    const seen = await inspectedFor(tx, report);
    const items = chosenOf(report, await differencesIn(tx, seen.inspectionId));
    const severity = worstOf(items);
    const { estimateHours } = seen;
    const held = severity === 'severe';
    await insertedOnce(
      sql`insert into rentals.damage_case (id, rental_id, vehicle_id, branch_id, inspection_id,
          severity, currency, estimate_due_at, held)
        values (${report.id}, ${report.rentalId}, ${seen.vehicleId}, ${seen.branchId},
          ${seen.inspectionId}, ${severity}, ${seen.currency},
          ${hoursAfter(seen.at, estimateHours)}, ${held})`.execute(tx),
    );
    const rows = items.map(
      ({ panel, kind, severity: how, change }) =>
        sql`(${report.id}, ${report.rentalId}, ${seen.vehicleId}, ${panel}, ${kind}, ${how},
          ${change})`,
    );
    await insertedOnce(
      sql`insert into rentals.damage_item (case_id, rental_id, vehicle_id, panel, kind, severity,
        change) values ${sql.join(rows)}`.execute(tx),
    );
    const state = await caseIn(tx, report.id);
    if (held) await holdVehicle(tx, state);
    await publish(tx, {
      type: 'forecourt.damage-case.reported.v1',
      aggregateId: state.id,
      sequence: state.version,
      data: caseFact(state),
    });
    return remember(tx, commandId, 'report', state);
  });
}

/**
 * Carries a command out on the version that it was decided on; a repeat answers what it led to.
 * Throws `not-found`, `version-conflict`, what `decide` throws, `limit-exceeded`, `four-eyes`, and
 * what the books refuse.
 */
export function recordDamage(
  db: Db,
  {
    commandId,
    actor,
    command,
    caseId,
    version,
  }: Commanded<CaseCommand> & { readonly caseId: string; readonly version: number },
): Promise<CaseState> {
  return transact(db, 'rentals_rw', principalOf(actor), async (tx) => {
    const known = await outcomeOf(tx, commandId);
    if (known !== undefined) return known;
    const before = await caseIn(tx, caseId, 'for update');
    if (before.version !== version) {
      throw new DomainError('version-conflict', 'The case was changed meanwhile; read it again.', {
        version: before.version,
      });
    }
    const change = await changeOf(tx, before, decide(before, command), actor);
    const columns = Object.entries(change).map(([name, value]) => sql`${sql.id(name)} = ${value}`);
    const { rows } = await sql<CaseState>`update rentals.damage_case
      set ${sql.join([...columns, sql`version = version + 1`, sql`updated_at = now()`])}
      where id = ${caseId} returning ${CASE_COLUMNS}`.execute(tx);
    const state = rows[0] as CaseState;
    if (before.held && !state.held) {
      const by = { source: 'damage', sourceRef: caseId } as const;
      await liftHoldOfSource(tx, { ...by, reason: state.repairedAt ? 'repaired' : 'settled' });
    }
    await publish(tx, {
      type: 'forecourt.damage-case.changed.v1',
      aggregateId: caseId,
      sequence: state.version,
      data: { ...caseFact(state), change: command.type },
    });
    return remember(tx, commandId, command.type, state);
  });
}

type Seen = {
  readonly inspectionId: string;
  readonly vehicleId: string;
  readonly branchId: string;
  readonly currency: string;
  readonly kind: string;
  readonly completedAt: string | null;
  readonly isCorrected: boolean;
  readonly estimateHours: number;
  readonly at: string;
};

async function inspectedFor(tx: Tx, { rentalId, inspectionId }: CaseReport): Promise<Seen> {
  const { rows } = await sql<Seen>`select i.id as "inspectionId", i.vehicle_id as "vehicleId",
      r.branch_id as "branchId", r.currency, i.kind, i.completed_at as "completedAt",
      exists (select from rentals.inspection c where c.corrects = i.id
        and c.completed_at is not null) as "isCorrected",
      coalesce(d.estimate_hours, 72) as "estimateHours", now() as at
    from rentals.inspection i join rentals.rental r on r.id = i.rental_id
    left join rentals.damage_rule d on d.branch_id = r.branch_id
    where i.id = ${inspectionId} and i.rental_id = ${rentalId}`.execute(tx);
  const [seen] = rows;
  if (seen === undefined) {
    throw new DomainError('not-found', 'There is no such inspection.', { of: 'inspection' });
  }
  if (seen.kind === 'in' && seen.completedAt !== null && !seen.isCorrected) return seen;
  throw new DomainError(
    'invalid-state',
    'Damages are reported from the completed inspection at the return, the newest one.',
    { kind: seen.kind, isCompleted: seen.completedAt !== null, isCorrected: seen.isCorrected },
  );
}

async function differencesIn(tx: Tx, inspectionId: string): Promise<readonly Difference[]> {
  return differences(await outMarksFor(tx, inspectionId), await marksOf(tx, inspectionId));
}

/** Those that were named, or all that are proposed. Throws `pre-existing-damage`, `not-found`. */
function chosenOf({ items }: CaseReport, seen: readonly Difference[]): readonly Difference[] {
  const chosen =
    items === null
      ? seen.filter(isProposed)
      : items.map(({ panel, kind }) => seen.find((d) => d.panel === panel && d.kind === kind));
  const [first] = chosen;
  if (first === undefined || chosen.includes(undefined)) {
    throw new DomainError('not-found', 'The inspection shows no such damage.', { of: 'damage' });
  }
  const old = chosen.find((one) => one?.change === 'pre-existing');
  if (old === undefined) return chosen as readonly Difference[];
  throw new DomainError(
    'pre-existing-damage',
    'It was there when the vehicle went out: this rental is not charged for it.',
    { panel: old.panel, kind: old.kind },
  );
}

async function holdVehicle(tx: Tx, { id, vehicleId }: CaseState): Promise<void> {
  const hold = { type: 'damage', severity: 'hard', reason: 'A severe damage is open.' } as const;
  await setHold(tx, { source: 'damage', sourceRef: id, vehicleId, hold });
}

async function insertedOnce(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const { constraint } = error as { readonly constraint?: string };
    if (constraint !== 'damage_item_in_one_case') throw error;
    throw new DomainError('duplicate', 'This damage has a case already.');
  }
}

async function caseIn(tx: Tx, id: string, lock: 'for update' | '' = ''): Promise<CaseState> {
  const { rows } = await sql<CaseState>`select ${CASE_COLUMNS} from rentals.damage_case
    where id = ${id} ${sql.raw(lock)}`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw new DomainError('not-found', 'There is no such damage case.', { of: 'damage-case' });
}

async function outcomeOf(tx: Tx, commandId: string): Promise<CaseState | undefined> {
  const { rows } = await sql<{ outcome: CaseState }>`select outcome
    from rentals.damage_command where id = ${commandId}`.execute(tx);
  return rows[0]?.outcome;
}

async function remember(
  tx: Tx,
  commandId: string,
  verb: string,
  state: CaseState,
): Promise<CaseState> {
  await sql`insert into rentals.damage_command (id, case_id, outcome)
    values (${commandId}, ${state.id}, ${JSON.stringify(state)})`.execute(tx);
  const subject = { subjectType: 'damage_case', subjectId: state.id } as const;
  await recordAudit(tx, { action: `damage-case.${verb}`, ...subject, commandId, after: state });
  return state;
}
