// Accepting a held quote: its place and its price become the rental's, or a fresh quote is offered.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { checkAcceptance, type HeldQuote } from '../../domain/held-quote.ts';
import type { Quote } from '../../domain/pricing.ts';
import type { RentalRequest } from '../../domain/rental.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { bookingTerms } from './booking-rules.ts';
import { asked, refuseUnknown } from './calendar.ts';
import type { TakenSpan } from './calendar-booking.ts';
import { changeQuote, factOf, lockQuote } from './held-quotes.ts';

/**
 * The quote's place becomes the rental's; the rental must be stored in the same transaction. Throws
 * `quote-expired`, whose details are a fresh quote and whether a vehicle is `free`; `value-refused`
 * when something else is asked for than was held, `invalid-state` when another rental has accepted
 * it, `not-found` for an unknown quote.
 */
export async function acceptQuote(
  tx: Tx,
  request: RentalRequest,
): Promise<TakenSpan & { readonly price: Quote }> {
  const { quoteId, id: rentalId } = request;
  if (quoteId === undefined) throw new Error('No quote is named.');
  const held = await lockQuote(tx, quoteId);
  checkAcceptance(held, request);
  const isRepeat = held.rentalId === rentalId;
  if (held.status === 'accepted' && !isRepeat) {
    throw new DomainError('invalid-state', 'The quote was accepted by another rental.', {
      quoteStatus: held.status,
    });
  }
  const answer = await asked<Accepted>(tx, sql`vehicles.accept_quote(${quoteId}, ${rentalId})`);
  refuseUnknown(answer.unknown);
  if (answer.refused) throw await expired(tx, held, answer.free === true);
  if (!isRepeat) await recordAcceptance(tx, held, rentalId);
  return { ...answer, price: held.price, existing: answer.existing === true };
}

type Accepted = TakenSpan & {
  readonly unknown?: string | null;
  readonly refused?: 'quote-expired';
  readonly free?: boolean;
};

async function recordAcceptance(tx: Tx, held: HeldQuote, rentalId: string): Promise<void> {
  const accepted = await changeQuote(
    tx,
    held,
    sql`status = 'accepted', rental_id = ${rentalId}::uuid`,
  );
  await publish(tx, {
    type: 'forecourt.quote.ended.v1',
    aggregateId: held.id,
    sequence: accepted.version,
    data: factOf(accepted),
  });
  const subject = { subjectType: 'quote', subjectId: held.id } as const;
  await recordAudit(tx, { action: 'quote.accepted', ...subject, after: { rentalId } });
}

/** Price and place, looked at again: what the counter needs to offer instead. */
async function expired(tx: Tx, held: HeldQuote, free: boolean): Promise<DomainError> {
  const { price } = await bookingTerms(tx, { ...held.price.chosen, ...held });
  return new DomainError('quote-expired', 'The quote is held no more; this is what it costs now.', {
    quoteId: held.id,
    free,
    currency: price.currency,
    planId: price.planId,
    planVersion: price.planVersion,
    netMinor: price.netMinor,
    vatMinor: price.vatMinor,
    totalMinor: price.totalMinor,
    heldTotalMinor: held.price.totalMinor,
    lines: price.lines.map(({ basis: _basis, ...line }) => line),
  });
}
