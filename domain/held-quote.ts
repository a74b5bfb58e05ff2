// Quotes that keep a vehicle for a while: how long, and what becomes of them.
import type { BookedChoices } from './booking.ts';
import { DomainError } from './errors.ts';
import type { Quote } from './pricing.ts';
import type { Channel } from './stop-sell.ts';

/** Through whom a quote is held: it decides for how long (decisions.md 44). */
export type HoldChannel = Extract<Channel, 'online' | 'corporate' | 'partner'>;

export const HOLD_MINUTES = {
  online: 15,
  corporate: 24 * 60,
  partner: 15,
} as const satisfies Readonly<Record<HoldChannel, number>>;

/** Nothing is held any more this long before pick-up: the counter needs its vehicles. */
const BEFORE_PICK_UP_MINUTES = 120;
const MINUTE_MS = 60_000;

export type QuoteStatus = 'held' | 'accepted' | 'released' | 'expired';

/** Instants are ISO 8601 in UTC; ids are UUIDs or codes. No personal data. */
export type QuoteHold = BookedChoices & {
  readonly id: string;
  readonly branchId: string;
  readonly returnBranchId?: string | undefined;
  readonly classId: string;
  readonly customerId: string | null;
  /** Whose it is, held through the channel `partner`. */
  readonly partnerId?: string | undefined;
  readonly channel: HoldChannel;
  readonly pickUpAt: string;
  readonly dueAt: string;
};

export type HeldQuote = Omit<QuoteHold, 'returnBranchId' | 'partnerId' | keyof BookedChoices> & {
  readonly returnBranchId: string;
  readonly status: QuoteStatus;
  readonly heldUntil: string;
  readonly price: Quote;
  /** The rental that accepted it. */
  readonly rentalId: string | null;
  readonly version: number;
};

/** Throws `pick-up-too-soon` when nothing may be held for this pick-up any more. */
export function heldUntil(
  { channel, pickUpAt }: Pick<QuoteHold, 'channel' | 'pickUpAt'>,
  now: string,
): string {
  const latest = Date.parse(pickUpAt) - BEFORE_PICK_UP_MINUTES * MINUTE_MS;
  if (latest <= Date.parse(now)) throw tooSoon(pickUpAt);
  const asked = Date.parse(now) + HOLD_MINUTES[channel] * MINUTE_MS;
  return new Date(Math.min(asked, latest)).toISOString();
}

export function tooSoon(pickUpAt: string): DomainError {
  return new DomainError(
    'pick-up-too-soon',
    'The pick-up is too soon to hold a vehicle for a quote: reserve it at once.',
    { pickUpAt, minutesBefore: BEFORE_PICK_UP_MINUTES },
  );
}

/** One whose time is over is expired, whether or not its timer has come yet. */
export function statusAt(
  { status, heldUntil }: Pick<HeldQuote, 'status' | 'heldUntil'>,
  now: string,
): QuoteStatus {
  return status === 'held' && Date.parse(heldUntil) <= Date.parse(now) ? 'expired' : status;
}

type Accepting = Pick<
  QuoteHold,
  'branchId' | 'returnBranchId' | 'classId' | 'pickUpAt' | 'dueAt'
> & { readonly customerId: string };

/** A quote is accepted as it was given. Throws `value-refused`, which names what differs. */
export function checkAcceptance(quote: HeldQuote, asked: Accepting): void {
  const differs = [
    ['branchId', quote.branchId === asked.branchId],
    ['returnBranchId', quote.returnBranchId === (asked.returnBranchId ?? asked.branchId)],
    ['classId', quote.classId === asked.classId],
    ['pickUpAt', Date.parse(quote.pickUpAt) === Date.parse(asked.pickUpAt)],
    ['dueAt', Date.parse(quote.dueAt) === Date.parse(asked.dueAt)],
    ['customerId', quote.customerId === null || quote.customerId === asked.customerId],
  ] as const;
  const field = differs.find(([, isSame]) => !isSame)?.[0];
  if (field === undefined) return;
  throw new DomainError('value-refused', 'The quote was held for something else; ask anew.', {
    field,
  });
}
