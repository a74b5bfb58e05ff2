// The effects of a held quote: each is one transaction, safe to repeat.
import { type EndedQuote, endQuote, holdQuote } from '../db/commands/held-quotes.ts';
import { type Actor, principalOf } from '../domain/actor.ts';
import type { HeldQuote, QuoteHold } from '../domain/held-quote.ts';
import type { Envelope } from '../workflows/rental.messages.ts';
import type { ActivityDeps } from './deps.ts';
import { failing } from './failures.ts';

export type EndQuote = {
  readonly actor: Actor;
  readonly quoteId: string;
  readonly status: 'released' | 'expired';
};

export function createQuoteActivities({ db }: ActivityDeps) {
  return {
    holdQuote: ({ actor, command }: Envelope<QuoteHold>): Promise<HeldQuote> =>
      failing(() => holdQuote(db, principalOf(actor), command)),

    endQuote: ({ actor, quoteId, status }: EndQuote): Promise<EndedQuote> =>
      failing(() => endQuote(db, principalOf(actor), quoteId, status)),
  };
}
