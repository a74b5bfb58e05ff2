// A booking changed before its pick-up: calendar, price and rental in one transaction, or as it was.
import { sql } from 'kysely';
import { choicesIn } from '../../domain/booking.ts';
import { localDate } from '../../domain/calendar.ts';
import { DomainError } from '../../domain/errors.ts';
import { type Quote, rechosenQuote } from '../../domain/pricing.ts';
import { type BookedPlace, isMoved, placeAfter } from '../../domain/rental/amendment.ts';
import { awaitedUntil } from '../../domain/rental/delay.ts';
import type { Amend, RentalOutcome } from '../../domain/rental.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import { bookingTerms } from './booking-rules.ts';
import { asked, type MovedSpan, refuseUnknown, told } from './calendar.ts';
import type { BranchTerms } from './calendar-booking.ts';
import { assertCredit } from './credit-exposure.ts';
import { unknownPerson } from './new-rental.ts';
import { type Recording, ratingOf, updateRental } from './rental-update.ts';
import { bindVoucher } from './vouchers.ts';

type Placed = { readonly vehicleId: string | null; readonly moved: readonly MovedSpan[] };
/** `placed` null: neither the calendar nor the time's price was touched. */
type Amended = {
  readonly placed: Placed | null;
  readonly price: Quote;
  readonly noShowAt: string;
  readonly delayMinutes: number;
};

const AS_BOOKED = {
  given_class_id: null,
  downgrade_plan_id: null,
  downgrade_plan_version: null,
} as const;

/**
 * Throws `vehicle-unavailable`, `stop-sell`, `branch-closed`, `value-refused` for what the plan does
 * not offer, `not-found` for an unknown class, branch or payer, `credit-limit` where it comes to more
 * than its payer's: then vehicle, span and price stay.
 */
export async function amendRental(recording: Recording, command: Amend): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const booked = {
    classId: row.class_id,
    returnBranchId: row.return_branch_id,
    pickUpAt: row.pick_up_at,
    dueAt: row.due_at,
  };
  const next = placeAfter(booked, command);
  const { placed, price, noShowAt, delayMinutes } = isMoved(booked, next)
    ? await placedAnew(recording, command, next)
    : { ...asItWas(row), price: await rechosen(recording, command) };
  const payerId = command.payerId === undefined ? row.payer_id : command.payerId;
  const version = await updateRental(recording, {
    class_id: next.classId,
    return_branch_id: next.returnBranchId,
    pick_up_at: next.pickUpAt,
    due_at: next.dueAt,
    no_show_at: noShowAt,
    delay_minutes: delayMinutes,
    payer_id: payerId,
    plan_id: price.planId,
    plan_version: price.planVersion,
    price: JSON.stringify(price),
    currency: price.currency,
    total_minor: price.totalMinor,
    // Placed and priced anew, it is as it is booked now, whatever a swap did.
    ...(placed === null ? {} : AS_BOOKED),
  }).catch((error: unknown) => {
    throw unknownPerson(error);
  });
  if (command.voucher) await bindVoucher(tx, row.id, command.voucher);
  const isMore = price.totalMinor > row.total_minor || payerId !== row.payer_id;
  if (isMore) await assertCredit(tx, row.id);
  const kept = placed === null ? {} : { vehicleId: placed.vehicleId };
  if (placed !== null) await sql`select events.hours_agreed(${row.id})`.execute(tx);
  await publish(tx, {
    type: 'forecourt.rental.amended.v1',
    aggregateId: row.id,
    sequence: version,
    data: {
      rentalId: row.id,
      branchId: row.branch_id,
      status: row.status,
      ...next,
      totalMinor: price.totalMinor,
      currency: price.currency,
    },
  });
  const reassigned = placed?.moved ?? [];
  const agreed = { ...next, price, noShowAt, delayMinutes, payerId };
  return { type: 'amended', at, version, reassigned, ...kept, ...agreed };
}

function asItWas({ no_show_at: noShowAt, delay_minutes: delayMinutes }: Recording['row']) {
  return { placed: null, noShowAt, delayMinutes };
}

/** By the rules and the rate plan of now (decisions.md 10). */
async function placedAnew(
  { tx, row }: Recording,
  command: Amend,
  next: BookedPlace,
): Promise<Amended> {
  const placed = await amendSpan(tx, row.id, row.branch_id, next);
  const terms = await bookingTerms(tx, {
    ...choicesIn({ ...row.price.chosen, ...chosenIn(command) }),
    ...next,
    branchId: row.branch_id,
  });
  const { pickUpAt, dueAt } = next;
  const delayMinutes = isMovedOn(row, pickUpAt) ? 0 : row.delay_minutes;
  const noShowAt = awaitedUntil(terms.noShowAt, placed.noShowGraceMinutes, { delayMinutes, dueAt });
  const kept = keptUntil(row, pickUpAt, noShowAt);
  return { placed, price: terms.price, noShowAt: kept, delayMinutes };
}

/** Who was given longer at the desk keeps that, as long as the pick-up stays. */
function keptUntil(row: Recording['row'], pickUpAt: string, noShowAt: string): string {
  const isLater = Date.parse(noShowAt) > Date.parse(row.no_show_at);
  return isMovedOn(row, pickUpAt) || isLater ? noShowAt : row.no_show_at;
}

/** Then it is another arrival, whose delay is told anew. */
function isMovedOn(row: Recording['row'], pickUpAt: string): boolean {
  return Date.parse(pickUpAt) !== Date.parse(row.pick_up_at);
}

/** The time costs what it did; only what was taken beside the vehicle is priced, by the same plan. */
async function rechosen({ tx, row, at }: Recording, command: Amend): Promise<Quote> {
  const named = chosenIn(command);
  if (Object.keys(named).length === 0) return row.price;
  const { rating, zone } = await ratingOf(tx, row, row.due_at);
  const bookedOn = named.promotion === undefined ? undefined : localDate(at, zone);
  return rechosenQuote({ ...rating, named, returnAt: row.due_at, bookedOn });
}

/** Only what is named; null takes it back. */
function chosenIn(command: Amend) {
  const { rate, promotion, extras, coverages, drivers, surcharges, distance } = command;
  const named = Object.entries({
    rate,
    promotion,
    extras,
    coverages,
    drivers,
    surcharges,
    distance,
  })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, value ?? undefined]);
  return Object.fromEntries(named) as ReturnType<typeof choicesIn>;
}

type Answer = Partial<Placed> &
  BranchTerms & { readonly unknown?: string | null; readonly refused?: string };

async function amendSpan(
  tx: Tx,
  rentalId: string,
  branchId: string,
  { classId, returnBranchId, pickUpAt, dueAt }: BookedPlace,
): Promise<Placed & BranchTerms> {
  const answer = await asked<Answer>(
    tx,
    sql`vehicles.amend_span(${rentalId}, ${classId}, ${returnBranchId}, ${pickUpAt}, ${dueAt})`,
  );
  refuseUnknown(answer.unknown);
  const { vehicleId, moved = [] } = answer;
  if (answer.refused || vehicleId === undefined) {
    throw new DomainError(
      'vehicle-unavailable',
      'No vehicle of this class is free then; the booking stays as it was.',
      { branchId, classId },
    );
  }
  return { ...answer, vehicleId, moved: await told(tx, moved) };
}
