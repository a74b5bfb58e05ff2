// Holds and releases quotes through their workflows.
import { WithStartWorkflowOperation } from '@temporalio/client';
import { heldQuoteById } from '../db/queries/held-quotes.ts';
import type { Actor } from '../domain/actor.ts';
import { DomainError } from '../domain/errors.ts';
import type { HeldQuote, QuoteHold } from '../domain/held-quote.ts';
import { quoteWorkflowId } from '../temporal-config/names.ts';
import { quoteStartOptions } from '../temporal-config/starts.ts';
import { holdQuote, releaseQuote } from '../workflows/held-quote.messages.ts';
import type { heldQuote } from '../workflows/held-quote.ts';
import type { Envelope } from '../workflows/rental.messages.ts';
import { hasEnded, waiting } from './commands.ts';
import type { ApiDeps } from './deps.ts';

/** Whoever releases has been shown to see the quote. */
const READER = 'system:api';

/** Throws the refusal of the workflow, or `service-unavailable` while the outcome is not known. */
export function sendHold(deps: ApiDeps, envelope: Envelope<QuoteHold>): Promise<HeldQuote> {
  return waiting(deps, () => {
    const start = new WithStartWorkflowOperation<typeof heldQuote>(
      'heldQuote',
      quoteStartOptions(envelope.command.id),
    );
    return deps.temporal.workflow.executeUpdateWithStart(holdQuote, {
      args: [envelope],
      updateId: envelope.commandId,
      startWorkflowOperation: start,
    });
  });
}

/** Answers the quote as it ended. Throws `invalid-state` when a rental has accepted it. */
export async function sendRelease(
  deps: ApiDeps,
  quoteId: string,
  actor: Actor,
): Promise<HeldQuote> {
  const commandId = `${quoteId}/release`;
  const quote = await waiting(deps, () =>
    deps.temporal.workflow.getHandle(quoteWorkflowId(quoteId)).executeUpdate(releaseQuote, {
      args: [{ commandId, actor, command: {} }],
      updateId: commandId,
    }),
  ).catch(async (error: unknown) => {
    const ended = hasEnded(error) && (await heldQuoteById(deps.db, READER, quoteId));
    if (ended && ended.status !== 'held') return ended;
    throw error;
  });
  if (quote.status !== 'accepted') return quote;
  throw new DomainError('invalid-state', 'A rental has accepted the quote; cancel the rental.', {
    quoteStatus: quote.status,
    rentalId: quote.rentalId,
  });
}
