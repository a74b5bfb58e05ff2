// The public contract of the rental workflow: what others may send it and what it answers.
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Actor } from '../domain/actor.ts';
import type { ErrorDetails } from '../domain/errors.ts';
import type {
  Amend,
  AnnounceDelay,
  AnnounceReturn,
  Cancel,
  CheckIn,
  CheckOut,
  Confirm,
  Decline,
  Exchange,
  Extend,
  RentalRequest,
  RentalState,
  Swap,
  UndoCheckOut,
} from '../domain/rental.ts';
import type { HandoverDoubt } from '../domain/rental-attention.ts';

/** `commandId` is the update id too: a repeat is answered from memory, past continue-as-new. */
export type Envelope<C> = {
  readonly commandId: string;
  readonly actor: Actor;
  readonly command: C;
};

/** An Update, because the counter waits for the answer: which vehicle, or why not. */
export const reserve = defineUpdate<RentalState, [Envelope<RentalRequest>]>('reserve');
/** The keys go out. Refused when the rental is not reserved or no vehicle is kept for it. */
export const checkOut = defineUpdate<RentalState, [Envelope<CheckOut>]>('checkOut');
/** A later due time, priced and placed in the calendar in one transaction. */
export const extend = defineUpdate<RentalState, [Envelope<Extend>]>('extend');
/** Other times, another class, payer or extras before pick-up; refused, all stays as it was. */
export const amend = defineUpdate<RentalState, [Envelope<Amend>]>('amend');
/** Another vehicle is kept before pick-up, of a lower class with consent; refused, all stays. */
export const swap = defineUpdate<RentalState, [Envelope<Swap>]>('swap');
/** Another vehicle for the one that is out, at once; refused, the renter keeps the one he has. */
export const exchange = defineUpdate<RentalState, [Envelope<Exchange>]>('exchange');
/** The vehicle is back; the answer carries the invoice. */
export const checkIn = defineUpdate<RentalState, [Envelope<CheckIn>]>('checkIn');
/** The keys came back at once: reserved as before. Refused after some minutes, or kilometres. */
export const undoCheckOut = defineUpdate<RentalState, [Envelope<UndoCheckOut>]>('undoCheckOut');
/** A late renter said when: the calendar keeps the vehicle until then; due time and price stay. */
export const announceReturn = defineUpdate<RentalState, [Envelope<AnnounceReturn>]>(
  'announceReturn',
);
/** The renter's flight is late: the vehicle is kept for as much longer. */
export const announceDelay = defineUpdate<RentalState, [Envelope<AnnounceDelay>]>('announceDelay');
/** Who did not show up came after all. Sent with a start: the rental's run had ended. */
export const reinstate = defineUpdate<RentalState, [Envelope<object>]>('reinstate');
/** Nobody comes: the vehicle is free again. Only before check-out; a request too. */
export const cancel = defineUpdate<RentalState, [Envelope<Cancel>]>('cancel');

/** A person found a vehicle for a request, or lets it wait for one: it is booked. */
export const confirm = defineUpdate<RentalState, [Envelope<Confirm>]>('confirm');
/** A request is not granted. */
export const decline = defineUpdate<RentalState, [Envelope<Decline>]>('decline');

/** `sequence` is the fact's, so that late news is known as such; older senders give none. */
export type Reassigned = {
  readonly vehicleId: string | null;
  readonly sequence?: number | undefined;
};

/**
 * What happened to others moved this one to another vehicle, or left it without one. Every such fact
 * is signalled from Kafka (events/rental-reassignments.ts), which is the guarantee; whoever caused it
 * may signal it too, which is quicker.
 */
export const vehicleReassigned = defineSignal<[Reassigned]>('vehicleReassigned');

/**
 * The nightly proof found that this rental's row, calendar and workflow differ, which a person has to
 * mend; null when they agree again.
 */
export const attentionNeeded =
  defineSignal<[{ readonly reason: string | null }]>('attentionNeeded');

/** `code` is a domain error's, as `details` are. */
export type DepositRefusal = {
  readonly code: string;
  readonly message: string;
  readonly details: ErrorDetails;
};
export type DepositAnswer = {
  readonly askId: string;
  /** Null when the card holds, gave or let go what was asked. */
  readonly refusal: DepositRefusal | null;
};

/** What became of what the rental asked of its deposit. */
export const depositAnswered = defineSignal<[DepositAnswer]>('depositAnswered');

export type HoursChanged = Omit<HandoverDoubt, 'problem'> & {
  readonly problem: HandoverDoubt['problem'] | null;
};

/**
 * The hours of a branch changed, and do not suit a handover that was agreed before; `problem` is null
 * when they suit again. A person settles it with the renter; the rental stays as it is.
 */
export const hoursChanged = defineSignal<[HoursChanged]>('hoursChanged');

/** A damage case of this rental is charged, waived or borne by an insurer: it may be closed now. */
export const damageEnded = defineSignal('damageEnded');

export const state = defineQuery<RentalState | null>('state');
