// The public contract of a transfer's workflow: what others may send it and what it answers.
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type {
  Arrive,
  CancelTransfer,
  Depart,
  TransferPlan,
  TransferState,
} from '../domain/transfer.ts';
import type { Envelope } from './rental.messages.ts';

/** An Update, because the planner must hear which vehicle was kept for the drive, or why none. */
export const plan = defineUpdate<TransferState, [Envelope<TransferPlan>]>('plan');
/** The driver has the keys. */
export const depart = defineUpdate<TransferState, [Envelope<Depart>]>('depart');
/** The vehicle is at its new branch, which it belongs to from now on. */
export const arrive = defineUpdate<TransferState, [Envelope<Arrive>]>('arrive');
/** Nobody drives: what relied on its arrival moves. Only before the departure. */
export const cancelTransfer = defineUpdate<TransferState, [Envelope<CancelTransfer>]>('cancel');

/** As a rental's: what the nightly proof has against it; null when all agree again. */
export const attentionNeeded =
  defineSignal<[{ readonly reason: string | null }]>('attentionNeeded');

export const transferState = defineQuery<TransferState | null>('transferState');
