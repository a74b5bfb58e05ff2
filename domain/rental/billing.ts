// Long rentals are billed in cycles while they are open: by which, and when a document is due.
import { DomainError } from '../errors.ts';
import type { CycleLength } from '../pricing.ts';
import type { Billing, BillingCycle } from '../rate-plan-terms.ts';
import type { RentalState } from './state.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** A rental that is agreed for no longer is invoiced when it comes back. */
const LONG_DAYS = 30;
/** An overdue one is billed as long as its revenue accrues (decisions.md 13). */
export const OVERDUE_DAYS = 10;
/** To pay a cycle's invoice, where neither the customer nor the plan has a term of its own. */
const PAYMENT_DAYS = 14;

const LENGTHS: Readonly<Record<BillingCycle, CycleLength>> = {
  '28-days': { days: 28 },
  '30-days': { days: 30 },
  month: 'month',
};

export function lengthOf(cycle: BillingCycle): CycleLength {
  return LENGTHS[cycle];
}

/** One of 30 days at most has one invoice, when it comes back. */
export function isBilledInCycles(
  cycle: string | null,
  { pickUpAt, dueAt }: Pick<RentalState, 'pickUpAt' | 'dueAt'>,
): boolean {
  return cycle !== null && Date.parse(dueAt) - Date.parse(pickUpAt) > LONG_DAYS * DAY_MS;
}

type Billed = Pick<RentalState, 'pickUpAt' | 'dueAt' | 'graceMinutes' | 'cycleEndsAt'>;

/**
 * When the present cycle is billed, in milliseconds since the epoch: at its end, or, past the due
 * time, once the rental is overdue, because whoever comes back in time gets one last invoice. Null
 * for a rental without cycles, one of 30 days at most, and one overdue for more than ten days.
 */
export function billableAt({ pickUpAt, dueAt, graceMinutes, cycleEndsAt }: Billed): number | null {
  if (cycleEndsAt === null || cycleEndsAt === undefined) return null;
  const [end, due] = [Date.parse(cycleEndsAt), Date.parse(dueAt)];
  if (due - Date.parse(pickUpAt) <= LONG_DAYS * DAY_MS) return null;
  if (end < due) return end;
  if (end > due + OVERDUE_DAYS * DAY_MS) return null;
  return Math.max(end, due + graceMinutes * MINUTE_MS);
}

/** Throws `invalid-state` before the cycle's end, and for what is not billed in cycles. */
export function checkBillable(state: Billed & Pick<RentalState, 'status'>, now: string): void {
  const at = billableAt(state);
  if (at !== null && Date.parse(now) >= at) return;
  throw new DomainError('invalid-state', 'No cycle of this rental is to be billed yet.', {
    rentalStatus: state.status,
    command: 'billCycle',
    cycleEndsAt: state.cycleEndsAt ?? null,
  });
}

/**
 * When unpaid invoices are looked at again: each day while one is overdue, else when the oldest
 * becomes overdue; null when all is paid. Never the instant just looked at, whose clock may be ahead.
 */
export function nextLookAt(
  at: string,
  unpaid: readonly { readonly payableBy: string }[],
): string | null {
  const [oldest] = unpaid;
  if (oldest === undefined) return null;
  const now = Date.parse(at);
  const isOverdue = unpaid.some(({ payableBy }) => Date.parse(payableBy) <= now);
  const next = isOverdue ? now + DAY_MS : Math.max(Date.parse(oldest.payableBy), now + MINUTE_MS);
  return new Date(next).toISOString();
}

/** Within how many days of its issue a cycle's invoice is paid: its payer's terms, else the plan's. */
export function paymentDaysOf(payersDays: number | null, plan: Billing | undefined): number {
  return payersDays ?? plan?.paymentDays ?? PAYMENT_DAYS;
}
