// Reads of opening hours: by local date, and which rentals they do not suit any more.
import { sql } from 'kysely';
import { localDate } from '../../domain/calendar.ts';
import { DomainError } from '../../domain/errors.ts';
import {
  dateAfter,
  handover,
  type Period,
  periodsOn,
  type Side,
} from '../../domain/opening-hours.ts';
import { feesOf, type Quote } from '../../domain/pricing.ts';
import type { Span } from '../../domain/span.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { type BookingRules, bookingRules, type Judged } from '../commands/booking-rules.ts';
import { type HoursAt, openingsAround, openingsBetween } from '../opening-times.ts';

const READER = 'system:api';

export type DeclaredHours = HoursAt & { readonly branchId: string; readonly version: number };

export type OpeningDay = {
  readonly date: string;
  readonly periods: readonly Period[];
  /** The same as instants. */
  readonly open: readonly Span[];
  /** Why the date is not like its weekday; null when it is. */
  readonly reason: string | null;
};

/** What is declared, with the exceptions of the local dates; undefined for an unknown branch. */
export function declaredHours(
  db: Db,
  branchId: string,
  dates: { readonly from: string; readonly to: string },
): Promise<DeclaredHours | undefined> {
  return transact(db, 'api_read', READER, (tx) => selectHours(tx, branchId, dates));
}

export function openingDays(
  hours: DeclaredHours,
  dates: { readonly from: string; readonly to: string },
): readonly OpeningDay[] {
  const days: OpeningDay[] = [];
  for (let date = dates.from; date <= dates.to; date = dateAfter(date, 1)) {
    const exception = hours.exceptions.find((one) => one.date === date);
    days.push({
      date,
      periods: periodsOn(hours, date).map(({ opens, closes }) => ({ opens, closes })),
      open: openingsBetween(hours, date, date),
      reason: exception?.reason ?? null,
    });
  }
  return days;
}

/** What a booking would be judged by now, stop-sell rules apart. Throws `branch-closed`. */
export function quoteRules(db: Db, booking: Judged): Promise<BookingRules> {
  const override = { stopSell: true, overbook: 0 } as const;
  return transact(db, 'api_read', READER, (tx) => bookingRules(tx, { ...booking, override }));
}

async function selectHours(
  tx: Tx,
  branchId: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<DeclaredHours | undefined> {
  const { rows } = await sql<{ hours: DeclaredHours }>`select jsonb_build_object(
      'branchId', b.id, 'version', b.version, 'timeZone', b.time_zone,
      'weekly', b.opening_weekly, 'keyDrop', b.key_drop,
      'outOfHours', case when b.out_of_hours_fee_minor is not null then jsonb_build_object(
        'feeMinor', b.out_of_hours_fee_minor, 'currency', b.out_of_hours_currency) end,
      'exceptions', (select coalesce(jsonb_agg(jsonb_build_object('date', e.on_date,
          'periods', e.periods, 'reason', e.reason) order by e.on_date), '[]')
        from vehicles.opening_exception e where e.branch_id = b.id and not e.withdrawn
          and e.on_date between ${from}::date and ${to}::date)) as hours
    from vehicles.branch b where b.id = ${branchId}`.execute(tx);
  return rows[0]?.hours;
}

export type Affected = {
  readonly rentalId: string;
  readonly number: string;
  readonly handover: Side;
  readonly at: string;
  /** Closed: neither service nor key drop then. Fee: another than was agreed. */
  readonly problem: 'closed' | 'fee';
  readonly nextOpening: string | null;
};

type OpenRental = {
  readonly id: string;
  readonly number: string;
  readonly status: string;
  readonly branchId: string;
  readonly returnBranchId: string;
  readonly pickUpAt: string;
  readonly dueAt: string;
  readonly price: Quote;
};

/** More than a branch has open; what exceeds it comes when these are settled. */
const SCANNED = 5_000;

/**
 * The coming handovers of booked rentals that the branch's hours do not suit as they are now, by
 * number. They stay as they are: a person settles them with the renter (decisions.md 45).
 */
export async function affectedRentals(
  db: Db,
  acting: Acting,
  branchId: string,
  now: string,
): Promise<readonly Affected[] | undefined> {
  const found = await judgedHandovers(db, acting, branchId, now);
  return found?.map(({ isAgreed: _, ...one }) => one);
}

/** Of these, the ones that the hours left outside: none that was agreed to be so at another fee. */
export async function handoversOutside(
  db: Db,
  acting: Acting,
  branchId: string,
  now: string,
): Promise<readonly Affected[]> {
  const found = (await judgedHandovers(db, acting, branchId, now)) ?? [];
  return found.filter(({ isAgreed }) => !isAgreed).map(({ isAgreed: _, ...one }) => one);
}

type JudgedHandover = Affected & { readonly isAgreed: boolean };

function judgedHandovers(
  db: Db,
  acting: Acting,
  branchId: string,
  now: string,
): Promise<readonly JudgedHandover[] | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const today = now.slice(0, 10);
    const dates = { from: dateAfter(today, -2), to: dateAfter(today, 1_200) };
    const hours = await selectHours(tx, branchId, dates);
    if (hours === undefined) return undefined;
    const { rows } = await sql<OpenRental>`select id, number, status, branch_id as "branchId",
        return_branch_id as "returnBranchId", pick_up_at as "pickUpAt", due_at as "dueAt", price
      from rentals.rental
      where status in ('reserved', 'active')
        and (branch_id = ${branchId} or return_branch_id = ${branchId})
      order by number limit ${SCANNED}`.execute(tx);
    return rows.flatMap((rental) => [
      ...(rental.branchId === branchId && rental.status === 'reserved'
        ? problemOf(rental, 'pick-up', rental.pickUpAt, hours, now)
        : []),
      ...(rental.returnBranchId === branchId
        ? problemOf(rental, 'return', rental.dueAt, hours, now)
        : []),
    ]);
  });
}

function problemOf(
  rental: OpenRental,
  side: Side,
  at: string,
  hours: HoursAt,
  now: string,
): readonly JudgedHandover[] {
  if (Date.parse(at) < Date.parse(now)) return [];
  const found = { rentalId: rental.id, number: rental.number, handover: side, at };
  try {
    const offered = handover(side, hours, openingsAround(hours, at), at);
    const fee = offered === 'in-hours' ? 0 : offered.feeMinor;
    const booked = feesOf(rental.price).find(({ code }) => code === `fee.out-of-hours-${side}`);
    if ((booked?.netMinor ?? 0) === fee) return [];
    return [{ ...found, problem: 'fee', nextOpening: null, isAgreed: booked !== undefined }];
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'branch-closed') throw error;
    const next = error.details['nextOpening'];
    const nextOpening = typeof next === 'string' ? next : null;
    return [{ ...found, problem: 'closed', nextOpening, isAgreed: false }];
  }
}

/** The local date of the branch at an instant. */
export function dateAt(hours: HoursAt, at: string): string {
  return localDate(at, hours.timeZone);
}
