// Extensions, endings without a trip, and what a rental's timers record.
import { extensionQuote, feesOf } from '../../domain/pricing.ts';
import type { Cancel, Extend, RentalOutcome } from '../../domain/rental.ts';
import { publish } from '../outbox.ts';
import { inCurrency, returnFees } from './booking-rules.ts';
import { extendSpan, releaseSpan, rollSpan } from './calendar.ts';
import { applyMoves, type Move } from './calendar-repack.ts';
import { chargeFee, feeFor } from './no-trip-fees.ts';
import { assertLicences } from './rental-drivers.ts';
import { type Recording, ratingOf, updateRental } from './rental-update.ts';
import { raiseShortage } from './shortages.ts';

/** How far an overdue vehicle's calendar is kept ahead of now (decisions: 2 h, every hour anew). */
const ROLL_AHEAD_MS = 2 * 60 * 60 * 1000;

/**
 * A later due time, re-priced by the plan version that the rental was quoted with. `moves` are those
 * of a repack that clears its way.
 */
export async function extendRental(
  recording: Recording,
  { dueAt }: Extend,
  moves: readonly Move[],
): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  await assertLicences(tx, row.id, dueAt);
  const { moved } = moves.length === 0 ? { moved: [] } : await applyMoves(tx, moves, null);
  const span = await extendSpan(tx, row.id, dueAt);
  const { rating } = await ratingOf(tx, row, dueAt);
  const pickUpFee = feesOf(row.price).filter(({ code }) => code === 'fee.out-of-hours-pick-up');
  const returnFee = await returnFees(tx, row.return_branch_id, dueAt);
  const price = extensionQuote({
    ...rating,
    fees: [...pickUpFee, ...inCurrency(returnFee, rating.plan.currency)],
    dueAt: row.due_at,
    returnAt: dueAt,
  });
  const version = await updateRental(recording, {
    due_at: dueAt,
    overdue: false,
    price: JSON.stringify(price),
    total_minor: price.totalMinor,
  });
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
  return { type: 'extended', at, version, reassigned, vehicleId, price, dueAt };
}

/** Cancelled by a person, or by nobody's coming: the vehicle is free again, the fee is invoiced last. */
export async function giveUp(
  recording: Recording,
  command: ({ readonly type: 'cancel' } & Cancel) | { readonly type: 'noShow' },
): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
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
  const version = await updateRental(recording, {
    status: command.type === 'cancel' ? 'cancelled' : 'no_show',
    ...(fee === null
      ? {}
      : { fee_minor: fee.feeMinor, invoice_id: fee.invoiceId, invoice_number: fee.invoiceNumber }),
  });
  const type = command.type === 'cancel' ? 'cancelled' : 'noShow';
  return { type, at, version, reassigned, ...fee };
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

/** Keeps the calendar of a vehicle that did not come back; each time a fact of its own. */
export async function markOverdue(recording: Recording): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const until = new Date(Date.parse(at) + ROLL_AHEAD_MS).toISOString();
  const { moved, vehicleId } = await rollSpan(tx, row.id, until);
  const version = await updateRental(recording, { overdue: true });
  await publish(tx, {
    type: 'forecourt.rental.overdue.v1',
    aggregateId: row.id,
    sequence: version,
    data: { ...fact(recording, row.status), vehicleId, dueAt: row.due_at, keptUntil: until },
  });
  return { type: 'overdueMarked', at, version, reassigned: moved };
}

export async function closeRental(recording: Recording): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  if (row.invoice_id === null) throw new Error(`Rental ${row.id} came back without an invoice.`);
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
  return { type: 'closed', at, version, reassigned: [] };
}

function fact({ row }: Recording, status: string) {
  return { rentalId: row.id, branchId: row.branch_id, status };
}
