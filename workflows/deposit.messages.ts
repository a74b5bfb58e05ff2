// The public contract of a deposit's workflow: what others may send it and what it answers.
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Actor } from '../domain/actor.ts';
import type {
  DepositState,
  Payer,
  Prepay,
  Refund,
  ReturnPrepaid,
} from '../domain/payments/deposit.ts';
import type { Envelope } from './rental.messages.ts';

export type Authorise = {
  readonly payer: Payer;
  /** Minor units of the rental's currency. */
  readonly amountMinor: number;
  /** The gateway's reference to the card. */
  readonly paymentMethod: string;
};
export type Amount = { readonly amountMinor: number };

/** An Update, because the counter must hear whether the card was accepted. Replaces an open hold. */
export const authorise = defineUpdate<DepositState, [Envelope<Authorise>]>('authorise');
/** To a new total: the rental became longer. */
export const increase = defineUpdate<DepositState, [Envelope<Amount>]>('increase');
/** Takes the amount and gives the rest back. */
export const capture = defineUpdate<DepositState, [Envelope<Amount>]>('capture');
export const release = defineUpdate<DepositState, [Envelope<Record<string, never>>]>('release');
/** Gives back of what was captured, at most that. */
export const refund = defineUpdate<DepositState, [Envelope<Omit<Refund, 'kind'>>]>('refund');

/** Charges a card for what the rental costs, before the hire. */
export const prepay = defineUpdate<DepositState, [Envelope<Omit<Prepay, 'kind'>>]>('prepay');
/** Gives back of what a card was charged in advance, at most what is owed back. */
export const returnPrepaid = defineUpdate<DepositState, [Envelope<Omit<ReturnPrepaid, 'kind'>>]>(
  'returnPrepaid',
);

/** The gateway told something, and it is in the rows: a hold ended, a payment is disputed. */
export const gatewayTold = defineSignal('gatewayTold');

/** `askId` names the asking for ever, so that a repeat moves nothing again. */
export type AskedByRental = { readonly askId: string; readonly actor: Actor };

/** The rental is to become longer: its card is asked to hold so much before that is recorded. */
export const increaseAsked = defineSignal<[AskedByRental & Amount]>('increaseAsked');
/**
 * The rental is over: what is owed is captured, the rest given back, and what is owed back of a
 * prepayment returned to its card.
 */
export const rentalEnded = defineSignal<[AskedByRental]>('rentalEnded');

/**
 * A document came after the return, and the renter agreed to have it charged. The row says what
 * becomes of it; a repeat charges nothing again.
 */
export const lateChargeAsked = defineSignal<[{ readonly invoiceId: string }]>('lateChargeAsked');

export const depositState = defineQuery<DepositState | null>('depositState');
