// A rental's deposit: the hold on a card, what may be done with it, and when the clock acts on it.
import { DomainError } from '../errors.ts';
import type { PrepaymentRefundReason } from '../prepayment.ts';
import type { RentalStatus } from '../rental.ts';

export const PAYERS = ['renter', 'insurer', 'corporate'] as const;
/** Whose share it secures. */
export type Payer = (typeof PAYERS)[number];

export const HOLD_STATES = [
  'pending',
  'open',
  'declined',
  'captured',
  'released',
  'expired',
] as const;
/** `pending`: asked for, and the gateway's answer is not known yet. */
export type HoldState = (typeof HOLD_STATES)[number];

/** Amounts in minor units of `currency`; instants ISO 8601 in UTC. */
export type Hold = {
  readonly id: string;
  readonly payer: Payer;
  readonly state: HoldState;
  readonly amountMinor: number;
  readonly capturedMinor: number;
  readonly refundedMinor: number;
  readonly currency: string;
  readonly overcapturePercent: number;
  readonly openedAt: string | null;
  /** Until when it may be captured, read from the gateway (decisions.md 16). */
  readonly validUntil: string | null;
  readonly replacedBy: string | null;
  /** Why a person has to look at it. */
  readonly attention: string | null;
  readonly version: number;
};

export type DepositState = {
  readonly rentalId: string;
  /** The hold that counts. */
  readonly current: Hold | null;
  /** Its predecessor, while that is still to be released. */
  readonly replaced: Hold | null;
  /** The order whose outcome is not known yet. */
  readonly pendingKey: string | null;
  /** Why a person has to look at it, also when nothing is held any more. */
  readonly attention: string | null;
};

/** Why a manager asks for less: codes, because free text may name persons. */
export const WAIVER_REASONS = ['known-customer', 'no-card', 'goodwill', 'other'] as const;
export type WaiverReason = (typeof WAIVER_REASONS)[number];

/** What was let go of a deposit, in minor units of `currency`. */
export type DepositWaiver = {
  readonly id: string;
  readonly rentalId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly reason: WaiverReason;
};

/** Why a captured amount goes back: codes, because free text may name persons. */
export const REFUND_REASONS = ['too-much', 'not-owed', 'goodwill', 'other'] as const;
export type RefundReason = (typeof REFUND_REASONS)[number];

export type Refund = {
  readonly kind: 'refund';
  readonly authorisationId: string;
  readonly amountMinor: number;
  readonly reason: RefundReason;
  readonly approvalId: string | null;
  /** What the caller may decide alone, in minor units. */
  readonly limitMinor: number;
};

/** What a rental costs is charged to a card before the hire; the id is the prepayment's own. */
export type Prepay = {
  readonly kind: 'prepay';
  readonly prepaymentId: string;
  readonly amountMinor: number;
  /** The gateway's reference to the card. */
  readonly paymentMethod: string;
};

/** Gives back of a prepayment that a card was charged for. */
export type ReturnPrepaid = Omit<Refund, 'kind' | 'authorisationId' | 'reason'> & {
  readonly kind: 'return-prepaid';
  readonly prepaymentId: string;
  readonly reason: PrepaymentRefundReason;
};

export type PaymentStep =
  | {
      readonly kind: 'authorise';
      readonly payer: Payer;
      readonly amountMinor: number;
      readonly paymentMethod: string;
    }
  | { readonly kind: 'renew'; readonly authorisationId: string }
  | { readonly kind: 'increase' | 'capture'; readonly amountMinor: number }
  /** Left out, the hold that counts. */
  | { readonly kind: 'release'; readonly authorisationId?: string }
  /** An increase to at least this total, for the rental's own sake; nothing when it is that much. */
  | { readonly kind: 'raise'; readonly amountMinor: number }
  /** The rental is over: what its renter owes is captured, as far as that goes, the rest given back. */
  | { readonly kind: 'settle' }
  | Refund
  | Prepay
  | ReturnPrepaid
  /** The rental is over: what is owed back of one of its charges goes back to that card. */
  | { readonly kind: 'pay-back' };

const HOUR_MS = 3_600_000;
/** Before the end of a hold the next one is asked for (decisions.md 16). */
const RENEWED_AHEAD_MS = 24 * HOUR_MS;
/** A person has to know 20 hours before the end; an hour more is the product's own. */
const ATTENTION_AHEAD_MS = 21 * HOUR_MS;

/** The most that may be captured: the hold, and what the gateway allows above it (decisions.md 17). */
export function captureLimit({
  amountMinor,
  overcapturePercent,
}: Pick<Hold, 'amountMinor' | 'overcapturePercent'>): number {
  return Number((BigInt(amountMinor) * BigInt(100 + overcapturePercent)) / 100n);
}

/** When the next hold is asked for; of one that is shorter than two days, in its middle. */
export function renewAt({ openedAt, validUntil }: Hold): number | null {
  if (openedAt === null || validUntil === null) return null;
  const [from, until] = [Date.parse(openedAt), Date.parse(validUntil)];
  return Math.max(until - RENEWED_AHEAD_MS, from + Math.floor((until - from) / 2));
}

export type DepositDeadline = {
  readonly type: 'release' | 'renew' | 'attend' | 'expire';
  readonly holdId: string;
  readonly at: number;
};

/** What the clock does next; `done` are the deadlines that have been met. */
export function nextDeadline(
  { current, replaced }: DepositState,
  done: readonly string[],
): DepositDeadline | null {
  const all = [...(replaced === null ? [] : ofReplaced(replaced)), ...deadlinesOf(current)];
  const open = all.filter((one) => !done.includes(deadlineId(one)));
  return open.toSorted((a, b) => a.at - b.at)[0] ?? null;
}

/** At once; and it ends by itself where the gateway would not. */
function ofReplaced({ id: holdId, validUntil }: Hold): readonly DepositDeadline[] {
  return [
    { type: 'release', holdId, at: 0 },
    { type: 'expire', holdId, at: Date.parse(validUntil ?? '') },
  ];
}

function deadlinesOf(hold: Hold | null): readonly DepositDeadline[] {
  const renew = hold && renewAt(hold);
  if (hold === null || renew === null) return [];
  const { id: holdId, attention, validUntil } = hold;
  const until = Date.parse(validUntil ?? '');
  const attend = Math.max(renew, until - ATTENTION_AHEAD_MS);
  return [
    { type: 'renew', holdId, at: renew },
    ...(attention === null ? [{ type: 'attend', holdId, at: attend } as const] : []),
    { type: 'expire', holdId, at: until },
  ];
}

export function deadlineId({ type, holdId }: Pick<DepositDeadline, 'type' | 'holdId'>): string {
  return `${type}/${holdId}`;
}

/** While these last, a hold secures something. */
const SECURED: readonly RentalStatus[] = ['reserved', 'active', 'returned'];

/** Whether the next hold is asked for, or the last one given back because the rental is over. */
export function isSecured(status: RentalStatus): boolean {
  return SECURED.includes(status);
}

/** Throws `invalid-state` for a rental that is over. */
export function checkAuthorise(status: RentalStatus): void {
  if (isSecured(status)) return;
  throw new DomainError('invalid-state', `A rental that is ${status} takes no deposit.`, {
    rentalStatus: status,
  });
}

/** The hold, if it is one that money may be taken from. Throws `invalid-state`. */
export function checkOpen(hold: Hold | null): Hold {
  if (hold?.state === 'open') return hold;
  throw new DomainError('invalid-state', 'There is no open hold: authorise a deposit first.', {
    holdState: hold?.state ?? null,
  });
}

/** Throws `value-refused` when it would not raise the hold. */
export function checkIncrease(hold: Hold, totalMinor: number): void {
  if (totalMinor > hold.amountMinor) return;
  throw new DomainError(
    'value-refused',
    'An increase names the new total, above the present one.',
    {
      amountMinor: hold.amountMinor,
    },
  );
}

/** Throws `amount-too-high`: what a hold does not cover is increased first (decisions.md 17). */
export function checkCapture(hold: Hold, amountMinor: number): void {
  const limitMinor = captureLimit(hold);
  if (amountMinor <= limitMinor) return;
  throw new DomainError('amount-too-high', 'The hold does not cover this: increase it first.', {
    limitMinor,
  });
}

/**
 * Throws `amount-too-high`: no more goes back than was taken, nor than the rental's books have left of
 * it; `leftMinor` is that.
 */
export function checkRefund(hold: Hold, amountMinor: number, leftMinor: number): void {
  const limitMinor = Math.max(0, Math.min(hold.capturedMinor - hold.refundedMinor, leftMinor));
  if (amountMinor <= limitMinor) return;
  throw new DomainError('amount-too-high', 'More than was captured cannot be refunded.', {
    limitMinor,
  });
}
