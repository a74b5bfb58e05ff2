// Extensions, endings without a trip, and what a rental's timers record.
import { DomainError } from '../../domain/errors.ts';
import { extensionQuote, feesOf } from '../../domain/pricing.ts';
import type { Cancel, Extend, RentalOutcome } from '../../domain/rental.ts';
import { keptUntil } from '../kept-until.ts';
import { publish } from '../outbox.ts';
import { rentalState } from '../rental-row.ts';
import { refuseInArrears } from './arrears.ts';
import { inCurrency, returnFees } from './booking-rules.ts';
import { extendSpan, releaseSpan } from './calendar.ts';
import { applyMoves, type Move } from './calendar-repack.ts';
import { owedBackOf } from './card-prepayments.ts';
import { assertCredit } from './credit-exposure.ts';
import { demandDeposit, demandSettled, demandUndamaged, isHeld } from './deposit-needs.ts';
import { awaitedLonger } from './flights.ts';
import { chargeFee, feeFor } from './no-trip-fees.ts';
import { creditPrepayments } from './prepayments.ts';
import { assertLicences } from './rental-drivers.ts';
import { classFees, segmentsOf } from './rental-segments.ts';
import { planOfNow, type Recording, ratingOf, updateRental } from './rental-update.ts';
import { raiseShortage } from './shortages.ts';

/**
 * A later due time, re-priced by the plan version that the rental was quoted with; days that are
 * priced by themselves, by the version of now (decisions.md 10). `moves` are those of a repack that
 * clears its way.
 */
export async function extendRental(
  recording: Recording,
  { dueAt }: Extend,
  moves: readonly Move[],
): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  await refuseInArrears(recording);
  await assertLicences(tx, row.id, dueAt);
  const { moved } = moves.length === 0 ? { moved: [] } : await applyMoves(tx, moves, null);
  const span = await extendSpan(tx, row.id, dueAt);
  const { rating } = await ratingOf(tx, row, dueAt);
  const planNow = rating.plan.extension === 'extra-days' ? await planOfNow(tx, row.plan_id) : null;
  const pickUpFee = feesOf(row.price).filter(({ code }) => code === 'fee.out-of-hours-pick-up');
  const returnFee = await returnFees(tx, row.return_branch_id, dueAt);
  const ofClasses = classFees(rating, await segmentsOf(tx, row.id), dueAt);
  const price = extensionQuote({
    ...rating,
    ...(planNow === null ? {} : { planNow }),
    fees: [...pickUpFee, ...inCurrency(returnFee, rating.plan.currency), ...ofClasses],
    dueAt: row.due_at,
    returnAt: dueAt,
  });
  // Undone with all before it when the card holds too little: then more is asked of it, and again.
  const secured =
    row.status === 'active' ? { deposit_minor: await demandDeposit(tx, { ...row, price }) } : {};
  const noShowAt = await awaitedLonger(recording, dueAt);
  const version = await updateRental(recording, {
    due_at: dueAt,
    ...(noShowAt !== null && { no_show_at: noShowAt }),
    overdue: false,
    announced_return_at: null,
    not_returned: null,
    price: JSON.stringify(price),
    total_minor: price.totalMinor,
    ...secured,
  });
  await assertCredit(tx, row.id);
  await publish(tx, {
    type: 'forecourt.rental.extended.v1',
    aggregateId: row.id,
    sequence: version,
    data: {
      ...fact(recording, row.status),
      previousDueAt: row.due_at,
      dueAt,
      totalMinor: price.totalMinor,
      currency: price.currency,
    },
  });
  const vehicleId = row.vehicle_id ?? span.vehicleId;
  const reassigned = [...moved, ...span.moved];
  const awaited = noShowAt === null ? {} : { noShowAt };
  return { type: 'extended', at, version, reassigned, vehicleId, price, dueAt, ...awaited };
}

/** Cancelled by a person, or by nobody's coming: the vehicle is free again, the fee is invoiced last. */
export async function giveUp(
  recording: Recording,
  command: ({ readonly type: 'cancel' } & Cancel) | { readonly type: 'noShow' },
): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  if (command.type === 'noShow') {
    checkIsOver(await keptUntil(tx, rentalState(row, row.vehicle_id)), at);
  }
  // What is only requested keeps nothing that could become free.
  const { moved: reassigned, vehicleId } =
    row.status === 'requested' ? { moved: [], vehicleId: null } : await releaseSpan(tx, row.id);
  const told = { aggregateId: row.id, sequence: row.version + 1 } as const;
  if (command.type === 'cancel') {
    await publish(tx, {
      ...told,
      type: 'forecourt.rental.cancelled.v1',
      data: { ...fact(recording, 'cancelled'), cancelledAt: at, reason: command.reason },
    });
  } else {
    await publish(tx, {
      ...told,
      type: 'forecourt.rental.no-show.v1',
      data: { ...fact(recording, 'no_show'), pickUpAt: row.pick_up_at },
    });
  }
  const fee = await chargeFee(recording, await feeFor(recording, command, vehicleId !== null));
  await creditPrepayments(tx, row.id, at);
  const version = await updateRental(recording, {
    status: command.type === 'cancel' ? 'cancelled' : 'no_show',
    ...(fee === null
      ? {}
      : { fee_minor: fee.feeMinor, invoice_id: fee.invoiceId, invoice_number: fee.invoiceNumber }),
  });
  const type = command.type === 'cancel' ? 'cancelled' : 'noShow';
  const held = (await isHeld(tx, row.id)) ? { isHeld: true as const } : {};
  return { type, at, version, reassigned, ...fee, ...held, ...(await owing(recording)) };
}

/** Nobody else would tell the gateway: a prepayment has no workflow that waits. */
async function owing({ tx, row, commandId }: Recording) {
  const owed = await owedBackOf(tx, row.id, commandId);
  return owed === null ? {} : { isOwedBack: true as const };
}

/** Clocks of two servers differ: a timer may be ahead of this one by so much. */
const CLOCK_TOLERANCE_MS = 60_000;

/** Whatever a timer still believes: who may yet come keeps the vehicle. */
function checkIsOver(noShowAt: string, at: string): void {
  if (Date.parse(at) + CLOCK_TOLERANCE_MS >= Date.parse(noShowAt)) return;
  throw new DomainError('invalid-state', 'It is kept until its no-show time; wait for that.', {
    rentalStatus: 'reserved',
    command: 'noShow',
    noShowAt,
  });
}

/** It has no vehicle shortly before pick-up: a case for people. The rental itself stays as it is. */
export async function recordShortage({ tx, row, at }: Recording): Promise<RentalOutcome> {
  await raiseShortage(tx, row.id);
  return { type: 'shortageRaised', at, version: row.version, reassigned: [] };
}

export async function remind(recording: Recording): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const version = await updateRental(recording, {});
  await publish(tx, {
    type: 'forecourt.rental.return-reminder.v1',
    aggregateId: row.id,
    sequence: version,
    data: { ...fact(recording, row.status), dueAt: row.due_at },
  });
  return { type: 'reminded', at, version, reassigned: [] };
}

export async function closeRental(recording: Recording): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  if (row.invoice_id === null && row.total_minor > 0)
    throw new Error(`Rental ${row.id} came back without an invoice.`);
  await demandSettled(tx, row.id);
  await demandUndamaged(tx, row.id);
  const version = await updateRental(recording, { status: 'closed' });
  await publish(tx, {
    type: 'forecourt.rental.closed.v1',
    aggregateId: row.id,
    sequence: version,
    data: {
      ...fact(recording, 'closed'),
      invoiceId: row.invoice_id,
      totalMinor: row.total_minor,
      currency: row.currency,
    },
  });
  return { type: 'closed', at, version, reassigned: [], ...(await owing(recording)) };
}

function fact({ row }: Recording, status: string) {
  return { rentalId: row.id, branchId: row.branch_id, status };
}
