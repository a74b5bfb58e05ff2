// What a booking is judged by besides its vehicle: opening hours at both ends, and stop-sell rules.
import { sql } from 'kysely';
import { type BookedChoices, choicesIn } from '../../domain/booking.ts';
import { clockOf, localDate } from '../../domain/calendar.ts';
import { DomainError } from '../../domain/errors.ts';
import { handover, noShowAt, type Side } from '../../domain/opening-hours.ts';
import type { Fee } from '../../domain/pricing/fees.ts';
import { type Quote, quote } from '../../domain/pricing.ts';
import type { RatePlan } from '../../domain/rate-plan.ts';
import type { RentalRequest } from '../../domain/rental.ts';
import { checkStops, type Stop } from '../../domain/stop-sell.ts';
import type { Tx } from '../client.ts';
import { type HoursAt, openingsAround } from '../opening-times.ts';
import { currentTerms } from '../queries/rentals.ts';

export type Judged = Pick<
  RentalRequest,
  'branchId' | 'classId' | 'pickUpAt' | 'dueAt' | 'channel' | 'override'
> &
  BookedChoices & { readonly returnBranchId?: string | undefined };

export type BookingRules = {
  /** Net, for handovers outside the hours; `currency` of each is that of its branch. */
  readonly fees: readonly BranchFee[];
  /** Stop-sell rules that were overridden. */
  readonly overridden: readonly Stop[];
  /** Given a grace, when the rental is given up. */
  readonly noShowAt: (graceMinutes: number) => string;
};
type BranchFee = Fee & { readonly currency: string };

type Found = {
  readonly out: HoursAt | null;
  readonly in: HoursAt | null;
  readonly stops: readonly Stop[];
};

/**
 * Throws `branch-closed` for a handover that the branch does not offer then, `stop-sell` unless the
 * booking may override it. Any role that may call vehicles.booking_rules.
 */
export async function bookingRules(tx: Tx, booking: Judged): Promise<BookingRules> {
  const { rows } = await sql<{ found: Found }>`select ${rulesOf(booking)} as found`.execute(tx);
  return judged(booking, rows[0]?.found);
}

/**
 * The same with the price by the rate plan of now, in one round trip. Throws `not-found` without a
 * plan, `value-refused` for what it does not offer. Only for rentals_rw, and a branch that is there.
 */
export async function bookingTerms(
  tx: Tx,
  booking: Judged,
): Promise<Omit<BookingRules, 'fees'> & { readonly price: Quote }> {
  const { branchId, returnBranchId, pickUpAt, dueAt } = booking;
  const { rows } = await sql<{ found: Found; plan: RatePlan | null; zone: string }>`
    select ${rulesOf(booking)} as found, (${currentTerms(tx, booking)}) as plan,
      vehicles.zone_of(${branchId}) as zone`.execute(tx);
  const { found, plan, zone = '' } = rows[0] ?? {};
  if (!plan) throw new DomainError('not-found', 'No rate plan is valid.', { of: 'plan' });
  const { fees, ...rules } = judged(booking, found);
  const { promotion } = booking;
  const price = quote({
    ...choicesIn(booking),
    plan,
    branchId,
    returnBranchId,
    pickUpAt,
    returnAt: dueAt,
    fees: inCurrency(fees, plan.currency),
    clock: clockOf(zone, pickUpAt, dueAt),
    bookedOn: promotion === undefined ? undefined : localDate(new Date().toISOString(), zone),
  });
  return { ...rules, price };
}

function rulesOf({ branchId, returnBranchId, classId, channel, pickUpAt, dueAt }: Judged) {
  return sql`vehicles.booking_rules(${branchId}, ${returnBranchId ?? branchId}, ${classId},
    ${channel ?? 'counter'}, ${pickUpAt}, ${dueAt})`;
}

function judged(booking: Judged, found: Found | undefined): BookingRules {
  if (found === undefined) throw new Error('booking_rules answered nothing.');
  const { pickUpAt, dueAt } = booking;
  checkStops(found.stops, booking.override?.stopSell === true);
  return {
    overridden: found.stops,
    fees: [...feeOf('pick-up', found.out, pickUpAt), ...feeOf('return', found.in, dueAt)],
    noShowAt: (graceMinutes) => noShowBy(found.out, pickUpAt, graceMinutes),
  };
}

/** When a booking that was judged before, such as a held quote, is given up. */
export async function noShowOf(
  tx: Tx,
  branchId: string,
  pickUpAt: string,
  graceMinutes: number,
): Promise<string> {
  return noShowBy(await hoursAt(tx, branchId, pickUpAt), pickUpAt, graceMinutes);
}

/** The fee for another due time. Throws `branch-closed` where a return is not possible then. */
export async function returnFees(
  tx: Tx,
  branchId: string,
  dueAt: string,
): Promise<readonly BranchFee[]> {
  return feeOf('return', await hoursAt(tx, branchId, dueAt), dueAt);
}

/** Null where nothing was declared. */
export async function hoursAt(tx: Tx, branchId: string, at: string): Promise<HoursAt | null> {
  const { rows } = await sql<{ hours: HoursAt | null }>`
    select vehicles.opening_hours_at(${branchId}, ${at}) as hours`.execute(tx);
  return rows[0]?.hours ?? null;
}

/** Throws `currency-mismatch` when a branch charges in another currency than the plan's. */
export function inCurrency(fees: readonly BranchFee[], currency: string): readonly Fee[] {
  const other = fees.find((fee) => fee.currency !== currency);
  if (other === undefined) return fees.map(({ code, netMinor }) => ({ code, netMinor }));
  throw new DomainError('currency-mismatch', 'The branch charges its fee in another currency.', {
    feeCurrency: other.currency,
    planCurrency: currency,
  });
}

const CODES = {
  'pick-up': 'fee.out-of-hours-pick-up',
  return: 'fee.out-of-hours-return',
} as const satisfies Readonly<Record<Side, Fee['code']>>;

function feeOf(side: Side, hours: HoursAt | null, at: string): readonly BranchFee[] {
  if (hours === null) return [];
  const found = handover(side, hours, openingsAround(hours, at), at);
  if (found === 'in-hours' || found.feeMinor === 0) return [];
  return [{ code: CODES[side], netMinor: found.feeMinor, currency: found.currency }];
}

const MINUTE_MS = 60_000;

/** By hours that were read for the pick-up. */
export function noShowBy(hours: HoursAt | null, pickUpAt: string, graceMinutes: number): string {
  if (hours === null) return noShowAt(null, pickUpAt, graceMinutes);
  const late = new Date(Date.parse(pickUpAt) + graceMinutes * MINUTE_MS).toISOString();
  return noShowAt(openingsAround(hours, late), pickUpAt, graceMinutes);
}
