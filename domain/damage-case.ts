// A damage case: from the report of a damage to its charge, waiver or insurer, and its settlement.
import type { DamageCharge, DamageLoss, Exclusion } from './damage-charge.ts';
import { lossOf } from './damage-charge.ts';
import { DomainError } from './errors.ts';
import type { DamageKind, Panel, Severity } from './inspection.ts';
import { addMinor, type Minor } from './money.ts';

export const CASE_STATUSES = [
  'reported',
  'estimated',
  'agreed',
  'disputed',
  'charged',
  'waived',
  'insurer',
  'settled',
] as const;
export type CaseStatus = (typeof CASE_STATUSES)[number];

/** Codes, because what a workflow is told is no place for what people write. */
export const DISPUTE_REASONS = [
  'pre-existing',
  'not-by-renter',
  'amount',
  'cover',
  'other',
] as const;
export type DisputeReason = (typeof DISPUTE_REASONS)[number];
export const WAIVE_REASONS = ['goodwill', 'pre-existing', 'not-provable', 'trifle'] as const;
export type WaiveReason = (typeof WAIVE_REASONS)[number];

/** Of one panel and kind: a damage is in one case only. */
export type CaseItem = { readonly panel: Panel; readonly kind: DamageKind };

export type CaseReport = {
  readonly id: string;
  readonly rentalId: string;
  /** The completed inspection at the return that shows it. */
  readonly inspectionId: string;
  /** Null: all that the inspection proposes. */
  readonly items: readonly CaseItem[] | null;
};

/** Instants are ISO 8601 in UTC, amounts minor units of `currency`. No personal data. */
export type CaseState = {
  readonly id: string;
  readonly status: CaseStatus;
  readonly rentalId: string;
  readonly vehicleId: string;
  readonly branchId: string;
  readonly inspectionId: string;
  readonly severity: Severity;
  readonly currency: string;
  readonly loss: DamageLoss | null;
  readonly exclusion: Exclusion | null;
  /** What the renter would pay by the last estimate. */
  readonly charge: DamageCharge | null;
  /** Names the work order that repairs it, whose cost the estimate is. */
  readonly workOrderRef: string | null;
  readonly disputeReason: DisputeReason | null;
  readonly waiveReason: WaiveReason | null;
  readonly insurerMinor: Minor | null;
  /** Virtually certain, and so in the books (IAS 37.53). */
  readonly insurerPosted: boolean;
  readonly invoiceId: string | null;
  readonly invoiceNumber: string | null;
  readonly estimateDueAt: string;
  readonly answerDueAt: string | null;
  readonly attention: 'estimate-due' | 'answer-due' | null;
  readonly repairedAt: string | null;
  /** The hold that a severe damage puts on the vehicle is open. */
  readonly held: boolean;
  readonly version: number;
};

export type Estimate = DamageLoss & {
  readonly exclusion: Exclusion | null;
  readonly workOrderRef: string | null;
};
export type Dispute = { readonly reason: DisputeReason };
export type Waive = {
  readonly reason: WaiveReason;
  /** Of a second person, where the amount is above one's limit. */
  readonly approvalId: string | null;
  /** What whoever waives may waive alone, in minor units. */
  readonly limitMinor: number;
};
export type Claim = { readonly amountMinor: Minor; readonly isCertain: boolean };

export type CaseCommand =
  | ({ readonly type: 'estimate' } & Estimate)
  | { readonly type: 'agree' }
  | ({ readonly type: 'dispute' } & Dispute)
  | { readonly type: 'charge' }
  | ({ readonly type: 'waive' } & Waive)
  | ({ readonly type: 'claim' } & Claim)
  | { readonly type: 'markRepaired' }
  | { readonly type: 'settle' }
  | { readonly type: 'markDue' };
export type CaseCommandType = CaseCommand['type'];

/** A dispute stops the charge: `disputed` allows none until it is agreed (decisions.md 20). */
const ALLOWED: Readonly<Record<CaseStatus, readonly CaseCommandType[]>> = {
  reported: ['estimate', 'markRepaired', 'markDue'],
  estimated: ['estimate', 'agree', 'dispute', 'waive', 'claim', 'markRepaired', 'markDue'],
  agreed: ['charge', 'dispute', 'waive', 'claim', 'markRepaired'],
  disputed: ['estimate', 'agree', 'waive', 'claim', 'markRepaired', 'markDue'],
  charged: ['claim', 'markRepaired', 'settle'],
  waived: ['markRepaired', 'settle'],
  insurer: ['claim', 'markRepaired', 'settle'],
  settled: [],
};

/** What people may do with it now. */
export function allowedCommands(state: CaseState): readonly CaseCommandType[] {
  return ALLOWED[state.status].filter(
    (command) =>
      command !== 'markDue' &&
      (command !== 'markRepaired' || state.repairedAt === null) &&
      (command !== 'claim' || !state.insurerPosted),
  );
}

export function isOver({ status }: Pick<CaseState, 'status'>): boolean {
  return status === 'settled';
}

/**
 * Whether the case allows the command. Throws `invalid-state`, and `amount-too-high` for an
 * insurer's share above what the renter does not pay.
 */
export function decide(state: CaseState, command: CaseCommand): CaseCommand {
  const isAllowed =
    command.type === 'markDue'
      ? ALLOWED[state.status].includes('markDue') && state.attention === null
      : allowedCommands(state).includes(command.type);
  if (!isAllowed) {
    throw new DomainError(
      'invalid-state',
      `A damage case that is ${state.status} does not allow ${command.type} now.`,
      { caseStatus: state.status, command: command.type },
    );
  }
  if (command.type === 'charge' && state.charge?.totalMinor === 0) {
    throw new DomainError('invalid-state', 'There is nothing to charge; waive it instead.', {
      caseStatus: state.status,
      command: command.type,
    });
  }
  if (command.type === 'claim') checkClaim(state, command);
  return command;
}

/** Both together never exceed the loss. */
function checkClaim(state: CaseState, { amountMinor }: Claim): void {
  const charged = state.invoiceId === null ? 0 : (state.charge?.netMinor ?? 0);
  const most = state.loss === null ? 0 : addMinor(lossOf(state.loss), -charged);
  if (amountMinor <= most) return;
  throw new DomainError('amount-too-high', 'The insurer bears at most what is left of the loss.', {
    mostMinor: most,
  });
}

/** Days are the demo company's; settings of a branch come with the report. */
const HOUR_MS = 3_600_000;

export function hoursAfter(at: string, hours: number): string {
  return new Date(Date.parse(at) + hours * HOUR_MS).toISOString();
}

/** `id` is made of business facts, so a repeat is known. */
export type CaseDeadline = {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly id: string;
  readonly due: 'estimate-due' | 'answer-due';
};

/** The clock waits for an estimate, then for an answer; null when only people move it. */
export function nextDeadline(state: CaseState): CaseDeadline | null {
  if (state.attention !== null) return null;
  const { id, status, version, estimateDueAt, answerDueAt } = state;
  if (status === 'reported') {
    return { at: Date.parse(estimateDueAt), id: `${id}/estimate-due`, due: 'estimate-due' };
  }
  if ((status === 'estimated' || status === 'disputed') && answerDueAt !== null) {
    return { at: Date.parse(answerDueAt), id: `${id}/answer-due/${version}`, due: 'answer-due' };
  }
  return null;
}
