// The public contract of a damage case's workflow: what others may send it and what it answers.
import { defineQuery, defineUpdate } from '@temporalio/workflow';
import type {
  CaseReport,
  CaseState,
  Claim,
  Dispute,
  Estimate,
  Waive,
} from '../domain/damage-case.ts';
import type { Envelope } from './rental.messages.ts';

type Nothing = Record<string, never>;

/** An Update, because the counter must hear whether the damage is this rental's. */
export const report = defineUpdate<CaseState, [Envelope<CaseReport>]>('report');
/** What the repair costs, by its work order; again after a dispute. */
export const estimate = defineUpdate<CaseState, [Envelope<Estimate>]>('estimate');
/** The renter accepts the amount, after which it may be charged. */
export const agree = defineUpdate<CaseState, [Envelope<Nothing>]>('agree');
/** Stops the charge until it is agreed or estimated anew. */
export const dispute = defineUpdate<CaseState, [Envelope<Dispute>]>('dispute');
/** Issues the damage document. */
export const charge = defineUpdate<CaseState, [Envelope<Nothing>]>('charge');
export const waive = defineUpdate<CaseState, [Envelope<Waive>]>('waive');
/** An insurer bears a share; told again when it is virtually certain. */
export const claim = defineUpdate<CaseState, [Envelope<Claim>]>('claim');
/** The vehicle may be rented again, whatever becomes of the money. */
export const markRepaired = defineUpdate<CaseState, [Envelope<Nothing>]>('markRepaired');
/** Nothing is open any more. */
export const settle = defineUpdate<CaseState, [Envelope<Nothing>]>('settle');

export const damageCaseState = defineQuery<CaseState | null>('damageCaseState');
