// Held quotes: a price snapshot and a vehicle's span, held, ended and accepted in one transaction each.
import { type RawBuilder, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { type HeldQuote, heldUntil, type QuoteHold, tooSoon } from '../../domain/held-quote.ts';
import type { Quote } from '../../domain/pricing.ts';
import type { Reassignment } from '../../domain/rental.ts';
import { decideRequest } from '../../domain/rental-term.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { bookingTerms } from './booking-rules.ts';
import { asked, type MovedSpan, reassignmentOf, refuseUnknown, told } from './calendar.ts';
import { unknownSide } from './new-rental.ts';

/** The row as its state; for queries too. */
export const QUOTE_COLUMNS: RawBuilder<unknown> = sql`id, status, branch_id as "branchId",
  return_branch_id as "returnBranchId", class_id as "classId", customer_id as "customerId",
  channel, pick_up_at as "pickUpAt", due_at as "dueAt", held_until as "heldUntil", price,
  rental_id as "rentalId", version`;

/**
 * Keeps a vehicle of the class and today's price. A repeat answers the quote as it is. Throws
 * `vehicle-unavailable` (a hold is never overbooked), `pick-up-too-soon`, `stop-sell`,
 * `branch-closed`, `not-found`, and what `decideRequest` refuses.
 */
export function holdQuote(db: Db, acting: Acting, hold: QuoteHold): Promise<HeldQuote> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const known = await quoteOf(tx, hold.id);
    if (known !== undefined) return known;
    const now = new Date().toISOString();
    decideRequest(hold, now);
    const until = await holdSpan(tx, hold, heldUntil(hold, now));
    const { price } = await bookingTerms(tx, hold);
    const held = await insertQuote(tx, hold, until, price);
    await publish(tx, {
      type: 'forecourt.quote.held.v1',
      aggregateId: held.id,
      sequence: held.version,
      data: {
        ...factOf(held),
        pickUpAt: held.pickUpAt,
        dueAt: held.dueAt,
        heldUntil: held.heldUntil,
        totalMinor: price.totalMinor,
        currency: price.currency,
      },
    });
    const after = { ...hold, heldUntil: held.heldUntil, totalMinor: price.totalMinor };
    const subject = { subjectType: 'quote', subjectId: held.id } as const;
    await recordAudit(tx, { action: 'quote.hold', ...subject, after });
    return held;
  });
}

export type EndedQuote = {
  readonly quote: HeldQuote;
  readonly reassigned: readonly Reassignment[];
};

/** Gives the vehicle back. A quote that has ended stays as it is. Throws `not-found`. */
export function endQuote(
  db: Db,
  acting: Acting,
  id: string,
  status: 'released' | 'expired',
): Promise<EndedQuote> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const held = await lockQuote(tx, id);
    if (held.status !== 'held') return { quote: held, reassigned: [] };
    const { moved = [] } = await asked<{ readonly moved?: readonly MovedSpan[] }>(
      tx,
      sql`vehicles.release_quote(${id})`,
    );
    await told(tx, moved);
    const ended = await changeQuote(tx, held, sql`status = ${status}`);
    await publish(tx, {
      type: 'forecourt.quote.ended.v1',
      aggregateId: id,
      sequence: ended.version,
      data: factOf(ended),
    });
    await recordAudit(tx, { action: `quote.${status}`, subjectType: 'quote', subjectId: id });
    const reassigned = moved.map(reassignmentOf);
    return { quote: ended, reassigned };
  });
}

async function holdSpan(tx: Tx, hold: QuoteHold, until: string): Promise<string> {
  const { id, classId, branchId, returnBranchId = branchId, pickUpAt, dueAt } = hold;
  const answer = await asked<{
    readonly unknown?: string | null;
    readonly full?: true;
    readonly refused?: 'pick-up-too-soon';
    readonly heldUntil: string;
  }>(
    tx,
    sql`vehicles.hold_quote(${id}, ${classId}, ${branchId}, ${returnBranchId}, ${pickUpAt},
      ${dueAt}, ${until})`,
  );
  refuseUnknown(answer.unknown);
  if (answer.refused) throw tooSoon(pickUpAt);
  if (answer.full) {
    const details = { branchId, classId };
    throw new DomainError('vehicle-unavailable', 'No vehicle of this class is free then.', details);
  }
  return answer.heldUntil;
}

async function insertQuote(
  tx: Tx,
  hold: QuoteHold,
  until: string,
  price: Quote,
): Promise<HeldQuote> {
  const { id, branchId, returnBranchId = branchId, classId, customerId, channel } = hold;
  try {
    const { rows } = await sql<HeldQuote>`insert into rentals.held_quote (id, branch_id,
        return_branch_id, class_id, customer_id, channel, partner_id, pick_up_at, due_at,
        held_until, price, currency, total_minor)
      values (${id}, ${branchId}, ${returnBranchId}, ${classId}, ${customerId}, ${channel},
        ${hold.partnerId ?? null}, ${hold.pickUpAt}, ${hold.dueAt}, ${until}, ${JSON.stringify(price)}, ${price.currency},
        ${price.totalMinor})
      returning ${QUOTE_COLUMNS}`.execute(tx);
    return rows[0] as HeldQuote;
  } catch (error) {
    if ((error as { constraint?: string }).constraint === 'held_quote_customer_id_fkey') {
      throw new DomainError('not-found', 'There is no such customer.', { of: 'customer' });
    }
    throw unknownSide(error);
  }
}

export async function changeQuote(
  tx: Tx,
  held: HeldQuote,
  change: RawBuilder<unknown>,
): Promise<HeldQuote> {
  const { rows } = await sql<HeldQuote>`update rentals.held_quote
    set ${change}, version = version + 1
    where id = ${held.id} and version = ${held.version} returning ${QUOTE_COLUMNS}`.execute(tx);
  return rows[0] as HeldQuote;
}

async function quoteOf(tx: Tx, id: string): Promise<HeldQuote | undefined> {
  const { rows } = await sql<HeldQuote>`select ${QUOTE_COLUMNS} from rentals.held_quote
    where id = ${id}`.execute(tx);
  return rows[0];
}

export async function lockQuote(tx: Tx, id: string): Promise<HeldQuote> {
  const { rows } = await sql<HeldQuote>`select ${QUOTE_COLUMNS} from rentals.held_quote
    where id = ${id} for update`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw new DomainError('not-found', 'There is no such quote.', { of: 'quote' });
}

export function factOf(held: HeldQuote) {
  const { id: quoteId, branchId, classId, status, rentalId } = held;
  return { quoteId, branchId, classId, status, rentalId };
}
