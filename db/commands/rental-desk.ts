// What a desk sets right: keys that came back at once, a late comer's word, a no-show who came.
import { sql } from 'kysely';
import { later } from '../../domain/rental/delay.ts';
import {
  checkAnnounced,
  checkAnnounceTime,
  checkTimeLeft,
  checkUndoReading,
  checkUndoTime,
  keptUntil,
  notReturnedStep,
} from '../../domain/rental/desk.ts';
import type { AnnounceReturn, RentalOutcome, UndoCheckOut } from '../../domain/rental.ts';
import { publish } from '../outbox.ts';
import { noShowOf } from './booking-rules.ts';
import { asked, retakeSpan, rollSpan, undoHandOut } from './calendar.ts';
import { priceAlone } from './consecutive-hire.ts';
import { assertCredit } from './credit-exposure.ts';
import { creditRest } from './credit-notes.ts';
import { recordDashReading } from './meters.ts';
import { segmentsOf } from './rental-segments.ts';
import { type Recording, updateRental } from './rental-update.ts';
import { endConsent } from './violation-terms.ts';

/**
 * The vehicle is kept for the same rental again, and what the dash said is a reading as any other.
 * Throws as the rules of domain/rental/desk.ts, by the clock of the row.
 */
export async function undoCheckOut(
  recording: Recording,
  command: UndoCheckOut,
): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const { odometerKm, fuelEighths, reason } = command;
  const out = {
    checkedOutAt: row.checked_out_at,
    odometerOutKm: row.odometer_out_km,
    overdue: row.overdue,
    deskTerms: row.desk_terms,
    isExchanged: (await segmentsOf(tx, row.id)).length > 1,
  };
  checkUndoTime(out, at);
  checkUndoReading(out, command);
  const booked = { pickUpAt: row.pick_up_at, dueAt: row.due_at };
  const { vehicleId, moved } = await undoHandOut(tx, row.id, booked, command);
  await recordDashReading(tx, { vehicleId, odometerKm, fuelEighths, at, origin: 'check-in' });
  const noShowAt = await keptFrom(recording);
  await endConsent(tx, row.id, row.checked_out_at);
  const price = await priceAlone(tx, row);
  const isTaxedAnew = price !== row.price;
  const version = await updateRental(recording, {
    status: 'reserved',
    ...(isTaxedAnew && { price: JSON.stringify(price), total_minor: price.totalMinor }),
    vehicle_id: null,
    checked_out_at: null,
    odometer_out_km: null,
    fuel_out_eighths: null,
    announced_return_at: null,
    not_returned: null,
    no_show_at: noShowAt,
  });
  await publish(tx, {
    type: 'forecourt.rental.check-out-undone.v1',
    aggregateId: row.id,
    sequence: version,
    data: { ...fact(recording, 'reserved'), vehicleId, odometerKm, fuelEighths, reason },
  });
  const outcome = { at, version, reassigned: moved, vehicleId, noShowAt };
  return { type: 'checkOutUndone', ...outcome, ...(isTaxedAnew && { price }) };
}

/**
 * The calendar keeps the vehicle until then, at once; price and due time stay. Who stands in the way
 * is moved, or waits without one, as each hour of a late vehicle does it (decisions.md 5).
 */
export async function announceReturn(
  recording: Recording,
  { at: announcedReturnAt }: AnnounceReturn,
): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const due = { dueAt: row.due_at, deskTerms: row.desk_terms };
  checkAnnounceTime(due, at);
  checkAnnounced(due, { at: announcedReturnAt }, at);
  const { moved } = await rollSpan(tx, row.id, announcedReturnAt);
  const version = await updateRental(recording, { announced_return_at: announcedReturnAt });
  await publish(tx, {
    type: 'forecourt.rental.return-announced.v1',
    aggregateId: row.id,
    sequence: version,
    data: { ...fact(recording, row.status), dueAt: row.due_at, announcedReturnAt },
  });
  return { type: 'returnAnnounced', at, version, reassigned: moved, announcedReturnAt };
}

/** Keeps the calendar of a vehicle that did not come back; each time a fact of its own. */
export async function markOverdue(recording: Recording): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const until = keptUntil(at, row.announced_return_at);
  const { moved, vehicleId } = await rollSpan(tx, row.id, until);
  let version = await updateRental(recording, { overdue: true });
  await publish(tx, {
    type: 'forecourt.rental.overdue.v1',
    aggregateId: row.id,
    sequence: version,
    data: { ...fact(recording, row.status), vehicleId, dueAt: row.due_at, keptUntil: until },
  });
  const step = notReturnedStep(row.due_at, at, row.desk_terms);
  if (step !== null && step !== row.not_returned) {
    const then = { ...recording, row: { ...row, version } };
    version = await updateRental(then, { not_returned: step });
    await publish(tx, {
      type: 'forecourt.rental.not-returned.v1',
      aggregateId: row.id,
      sequence: version,
      data: { ...fact(recording, row.status), vehicleId, dueAt: row.due_at, step },
    });
  }
  return { type: 'overdueMarked', at, version, reassigned: moved, notReturned: step };
}

/**
 * A vehicle once more, from now on; the fee of the no-show is credited, last. Throws
 * `vehicle-unavailable`, `credit-limit`, and `invalid-state` when its time is over.
 */
export async function reinstate(recording: Recording): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  checkTimeLeft({ dueAt: row.due_at }, at);
  const from = later(row.pick_up_at, at);
  const { vehicleId, moved } = await retakeSpan(tx, row.id, from, row.due_at);
  const noShowAt = await keptFrom(recording);
  const version = await updateRental(recording, {
    status: 'reserved',
    no_show_at: noShowAt,
    fee_minor: null,
    invoice_id: null,
    invoice_number: null,
  });
  await assertCredit(tx, row.id);
  await publish(tx, {
    type: 'forecourt.rental.reinstated.v1',
    aggregateId: row.id,
    sequence: version,
    data: { ...fact(recording, 'reserved'), vehicleId, dueAt: row.due_at },
  });
  if (row.invoice_id !== null) {
    const key = `rental/${row.id}/no-show-fee/${row.version}/credit`;
    const source = 'rental.no-show-reinstated';
    await creditRest(tx, { key, invoiceId: row.invoice_id, at, source });
  }
  return { type: 'reinstated', at, version, reassigned: moved, vehicleId, noShowAt };
}

/** Who is here again, or was, gets the branch's grace from now on. */
async function keptFrom({ tx, row, at }: Recording): Promise<string> {
  const grace = await asked<number>(tx, sql`vehicles.no_show_grace(${row.branch_id})`);
  const again = await noShowOf(tx, row.branch_id, at, grace);
  return later(again, row.no_show_at);
}

function fact({ row }: Recording, status: string) {
  return { rentalId: row.id, branchId: row.branch_id, status };
}
