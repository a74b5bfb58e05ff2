// The public contract of the held quote's workflow: what others may send it and what it answers.
import { defineQuery, defineUpdate } from '@temporalio/workflow';
import type { HeldQuote, QuoteHold } from '../domain/held-quote.ts';
import type { Envelope } from './rental.messages.ts';

/** An Update, because whoever asks must hear whether a vehicle could be kept, and until when. */
export const holdQuote = defineUpdate<HeldQuote, [Envelope<QuoteHold>]>('holdQuote');
/** Nobody needs it any more: the vehicle is free again. */
export const releaseQuote = defineUpdate<HeldQuote, [Envelope<Record<string, never>>]>(
  'releaseQuote',
);

export const heldQuoteState = defineQuery<HeldQuote | null>('heldQuoteState');
