// A counter that inspects vehicles and settles damages on the real database.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { type Acting, transact } from '../../db/client.ts';
import { recordDamage, reportDamage } from '../../db/commands/damage-cases.ts';
import type { DamageRule } from '../../db/commands/damage-rules.ts';
import {
  completeInspection,
  draftInspection,
  type InspectionRow,
  type NewInspection,
} from '../../db/commands/inspections.ts';
import type { CaseCommand, CaseItem, CaseState } from '../../domain/damage-case.ts';
import type { Mark } from '../../domain/inspection.ts';
import type { RentalState } from '../../domain/rental.ts';
import type { TestDatabase } from './database.ts';
import { AGENT } from './fleet.ts';
import { plantStaff } from './people.ts';
import { type RentalDesk, rentalDesk } from './rental-desk.ts';

type Seen = Mark & { readonly note: null };
export const DENT: Seen = {
  panel: 'roof',
  kind: 'dent',
  severity: 'severe',
  count: 1,
  note: null,
};
export const CHIP: Seen = { ...DENT, panel: 'windscreen', kind: 'chip', severity: 'minor' };

/** 970.00 in all. */
export const ESTIMATE: CaseCommand & { readonly type: 'estimate' } = {
  type: 'estimate',
  repairMinor: 80_000,
  lossOfUseMinor: 12_000,
  adminMinor: 5_000,
  diminutionMinor: 0,
  exclusion: null,
  workOrderRef: 'WO-1',
};

type Draft = readonly [rental: RentalState, kind: 'out' | 'in', over?: Partial<NewInspection>];

export type DamageDesk = {
  readonly rentals: RentalDesk;
  readonly agentId: string;
  readonly drafted: (...draft: Draft) => Promise<InspectionRow>;
  /** Drafted and completed. */
  readonly inspected: (...draft: Draft) => Promise<InspectionRow>;
  readonly reported: (
    rental: RentalState,
    inspectionId: string,
    items?: readonly CaseItem[] | null,
  ) => Promise<CaseState>;
  readonly sent: (state: CaseState, command: CaseCommand, commandId?: string) => Promise<CaseState>;
  /** A rental that came back with a severe dent, reported and estimated at 970.00. */
  readonly estimated: () => Promise<CaseState>;
};

/** Call it in `beforeAll`. */
export async function damageDesk(t: TestDatabase): Promise<DamageDesk> {
  const rentals = await rentalDesk(t);
  const { id: agentId } = await plantStaff(t.owner, { roles: ['counter-agent'] });
  const actor = { kind: 'staff', id: agentId } as const;

  const drafted: DamageDesk['drafted'] = (rental, kind, over = {}) => {
    const reading = { odometerKm: 2_000, fuelEighths: 8, chargePercent: null, note: null };
    const what = { id: uuidv7(), rentalId: rental.id, kind, ...reading, marks: [], corrects: null };
    return draftInspection(t.db, AGENT, { ...what, ...over });
  };
  const inspected: DamageDesk['inspected'] = async (...draft) => {
    const { id } = await drafted(...draft);
    return completeInspection(t.db, AGENT, id);
  };
  const reported: DamageDesk['reported'] = (rental, inspectionId, items = null) => {
    const command = { id: uuidv7(), rentalId: rental.id, inspectionId, items };
    return reportDamage(t.db, { commandId: command.id, actor, command });
  };
  const sent: DamageDesk['sent'] = ({ id: caseId, version }, command, commandId = uuidv7()) =>
    recordDamage(t.db, { commandId, actor, command, caseId, version });
  const estimated = async () => {
    const rental = await rentals.handedOut();
    await inspected(rental, 'out', { marks: [CHIP] });
    const { id } = await inspected(rental, 'in', { marks: [CHIP, DENT] });
    return sent(await reported(rental, id), ESTIMATE);
  };
  return { rentals, agentId, drafted, inspected, reported, sent, estimated };
}

/** What a branch asks when it asks for nothing. */
export function ruleOf(branchId: string, over: Partial<DamageRule> = {}): DamageRule {
  const money = { capMinor: null, vatClass: 'compensation', vatRateBp: 0 } as const;
  const hours = { estimateHours: 72, answerHours: 336 };
  return { branchId, inspectionRequired: false, ...money, ...hours, ...over };
}

/** A second person let the agent waive this amount of a case. */
export async function waiverApproved(
  { owner }: TestDatabase,
  { id: caseId, branchId }: CaseState,
  agentId: string,
  amount: number,
): Promise<string> {
  const id = uuidv7();
  await sql`insert into people.approval (id, kind, subject_type, subject_id, branch_id, amount,
      reason, requested_by, requested_at, expires_at, status, decided_by, decided_at, version)
    values (${id}, 'fee-waiver', 'damage_case', ${caseId}, ${branchId}, ${amount}, 'goodwill',
      ${`staff:${agentId}`}, now(), now() + interval '1 day', 'approved', 'staff:manager', now(),
      2)`.execute(owner);
  return id;
}

/** Of a vehicle's holds by damages, whether each is open. */
export async function damageHolds(
  { owner }: TestDatabase,
  { vehicleId }: Pick<CaseState, 'vehicleId'>,
): Promise<readonly boolean[]> {
  const { rows } = await sql<{ open: boolean }>`select lifted_at is null as open
    from vehicles.hold where vehicle_id = ${vehicleId} and source = 'damage'`.execute(owner);
  return rows.map(({ open }) => open);
}

/** What the books have of a rental's damages, debits first. */
export async function damageBooks(
  { owner }: TestDatabase,
  rentalId: string,
): Promise<readonly string[]> {
  const { rows } = await sql<{ posting: string }>`select
      concat_ws(' ', e.source, a.code, l.amount) as posting
    from accounting.entry e join accounting.line l on l.entry_id = e.id
    join accounting.account a on a.id = l.account_id
    where e.rental_id = ${rentalId} and e.source like 'damage.%'
    order by e.source, l.amount desc`.execute(owner);
  return rows.map(({ posting }) => posting);
}

/** Another case of the same rental, put there by no command. */
export async function besideCase({ owner }: TestDatabase, caseId: string): Promise<string> {
  const id = uuidv7();
  await sql`insert into rentals.damage_case (id, rental_id, vehicle_id, branch_id, inspection_id,
      severity, currency, estimate_due_at)
    select ${id}, rental_id, vehicle_id, branch_id, inspection_id, severity, currency,
      estimate_due_at from rentals.damage_case where id = ${caseId}`.execute(owner);
  return id;
}

/** How many of a case's commands whoever acts so can read. */
export function commandsSeen(
  { db }: TestDatabase,
  acting: Acting,
  caseId: string,
): Promise<number> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql`select from rentals.damage_command
      where case_id = ${caseId}`.execute(tx);
    return rows.length;
  });
}
