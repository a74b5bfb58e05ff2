// Keys out and keys back: the calendar, the rental and, at the return, the invoice in one transaction.

import { localDate } from '../../domain/calendar.ts';
import { dateAfter } from '../../domain/opening-hours.ts';
import { finalQuote } from '../../domain/pricing.ts';
import { checkOutTime } from '../../domain/rental/desk.ts';
import { checkDrop } from '../../domain/rental/drop.ts';
import { usageOfAll } from '../../domain/rental/usage.ts';
import type { CheckIn, CheckOut, RentalOutcome } from '../../domain/rental.ts';
import { type HoursAt, openingsBetween } from '../opening-times.ts';
import { publish } from '../outbox.ts';
import { cycleEndOf } from './billing-cycles.ts';
import { hoursAt } from './booking-rules.ts';
import { handOutSpan, returnSpan } from './calendar.ts';
import { accrueCommission } from './commissions.ts';
import { priceInSequence } from './consecutive-hire.ts';
import { demandDeposit } from './deposit-needs.ts';
import { recordDropOverride } from './drop-overrides.ts';
import { demandInspection } from './inspections.ts';
import { creditCycles, issueLast, type LastDocument, lastDocument } from './last-invoice.ts';
import { recordDashReading } from './meters.ts';
import { depositorOf, primaryCharge, primaryPayer } from './payer-documents.ts';
import { forfeitDeposit } from './payment-entries.ts';
import { creditPrepayments, deductionFor } from './prepayments.ts';
import { assertDrivers } from './rental-drivers.ts';
import { feesUntil, segmentsOf, usedVehicles } from './rental-segments.ts';
import { type Recording, ratingOf, updateRental } from './rental-update.ts';
import { consentGiven } from './violation-terms.ts';

export async function handOut(recording: Recording, keys: CheckOut): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const { odometerKm, fuelEighths } = keys;
  checkOutTime({ pickUpAt: row.pick_up_at, deskTerms: row.desk_terms }, at);
  const span = await handOutSpan(tx, row.id, at, keys);
  const { vehicleId, moved: reassigned, warnings = [] } = span;
  await assertDrivers(tx, row.id, span.classId);
  const price = await priceInSequence(tx, row, vehicleId, at, row.price);
  const depositMinor = await demandDeposit(tx, { ...row, price });
  await demandInspection(tx, 'out', { rentalId: row.id, vehicleId, branchId: row.branch_id });
  if (keys.delayedCharges) await consentGiven(tx, row.id, at);
  await recordDashReading(tx, { vehicleId, odometerKm, fuelEighths, at, origin: 'check-out' });
  const cycleEndsAt = await cycleEndOf(tx, row, 1);
  const version = await updateRental(recording, {
    status: 'active',
    cycle_ends_at: cycleEndsAt,
    deposit_minor: depositMinor,
    vehicle_id: vehicleId,
    checked_out_at: at,
    odometer_out_km: odometerKm,
    fuel_out_eighths: fuelEighths,
    ...(price === row.price ? {} : { price: JSON.stringify(price), total_minor: price.totalMinor }),
  });
  await publish(tx, {
    type: 'forecourt.rental.checked-out.v1',
    aggregateId: row.id,
    sequence: version,
    data: {
      rentalId: row.id,
      branchId: row.branch_id,
      status: 'active',
      vehicleId,
      odometerKm,
      fuelEighths,
      checkedOutAt: at,
      dueAt: row.due_at,
    },
  });
  const reading = { odometerKm, fuelEighths };
  const told = {
    cycleEndsAt,
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(price === row.price ? {} : { price }),
  };
  return { type: 'checkedOut', at, version, reassigned, vehicleId, ...reading, ...told };
}

/**
 * The vehicle is back: priced by actual times, distance and fuel, invoiced to receivables. The invoice
 * comes last, because its number keeps the whole series waiting until this transaction ends. Throws
 * `value-refused` for a branch to which the plan offers no way.
 */
export async function takeBack(
  recording: Recording,
  { odometerKm, fuelEighths, branchId, droppedAt, dropGranted }: CheckIn,
): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const backAt = droppedAt ?? at;
  if (droppedAt !== undefined) await assertDrop(recording, branchId, droppedAt, dropGranted);
  const span = await returnSpan(tx, row.id, at, { odometerKm, fuelEighths, branchId });
  const { vehicleId } = span;
  await demandInspection(tx, 'in', { rentalId: row.id, vehicleId, branchId });
  await recordDashReading(tx, { vehicleId, odometerKm, fuelEighths, at, origin: 'check-in' });
  const { rating } = await ratingOf(tx, row, backAt);
  const segments = await segmentsOf(tx, row.id);
  const price = finalQuote({
    ...rating,
    ...usageOfAll(rating.plan, usedVehicles(segments, { odometerKm, fuelEighths })),
    fees: feesUntil(rating, segments, backAt),
    dueAt: row.due_at,
    returnAt: backAt,
    returnedTo: branchId,
  });
  const sequence = row.version + 1;
  await publish(tx, {
    type: 'forecourt.rental.checked-in.v1',
    aggregateId: row.id,
    sequence,
    data: {
      rentalId: row.id,
      branchId: row.branch_id,
      status: 'returned',
      vehicleId,
      odometerKm,
      fuelEighths,
      checkedInAt: backAt,
    },
  });
  const last = await lastDocument(tx, row, rating.plan, price);
  const invoice = await issueAll(recording, last, backAt);
  await accrueCommission(tx, row, at, price);
  const version = await updateRental(recording, {
    status: 'returned',
    overdue: false,
    arrears: false,
    return_branch_id: branchId,
    checked_in_at: backAt,
    after_hours: droppedAt !== undefined,
    not_returned: null,
    odometer_in_km: odometerKm,
    fuel_in_eighths: fuelEighths,
    price: JSON.stringify(price),
    total_minor: price.totalMinor,
    invoice_id: invoice?.invoiceId ?? null,
    invoice_number: invoice?.number ?? null,
  });
  const reading = { odometerKm, fuelEighths, branchId, droppedAt };
  const { invoiceId = null, number: invoiceNumber = null } = invoice ?? {};
  const money = { price, invoiceId, invoiceNumber };
  return { type: 'checkedIn', at, version, reassigned: span.moved, ...reading, ...money };
}

/** The last documents of all payers; the depositor's is paid out of what is held. */
async function issueAll({ tx, row, at }: Recording, last: LastDocument, backAt: string) {
  const { id: rentalId, currency } = row;
  const primary = await primaryCharge(tx, rentalId, last.charge);
  const customerId = await primaryPayer(tx, row);
  const prepaid = await deductionFor(tx, rentalId, customerId, primary?.vat ?? []);
  const key = `rental/${rentalId}/final-invoice`;
  const depositor = await depositorOf(tx, row);
  const deposit = { key: `${key}/deposit`, rentalId, currency, at, customerId: depositor };
  return forfeitDeposit(tx, deposit, async () => {
    await creditCycles(tx, row, at, last);
    const invoice = await issueLast(tx, last, {
      ...{ key, entityId: row.entity_id, branchId: row.branch_id, rentalId, currency, prepaid },
      customerId,
      serviceFrom: serviceFrom(row),
      serviceTo: backAt,
    });
    await creditPrepayments(tx, rentalId, at);
    return invoice;
  });
}

/** The time that is claimed counts, for price and fines; the vehicle is at hand from now on. */
async function assertDrop(
  { tx, row, at, commandId }: Recording,
  branchId: string,
  claimed: string,
  isGranted = false,
): Promise<void> {
  const hours = await hoursAt(tx, branchId, claimed);
  const openings = hours === null ? [{ from: claimed, to: at }] : openingsUntil(hours, claimed, at);
  const branch = { openings, keyDrop: hours?.keyDrop === true };
  // After an exchange it is the last vehicle that was dropped.
  const [last] = (await segmentsOf(tx, row.id)).slice(-1);
  const out = { checkedOutAt: last?.from ?? row.checked_out_at };
  if (!checkDrop(claimed, out, branch, at, isGranted)) return;
  await recordDropOverride(tx, { rentalId: row.id, commandId, droppedAt: claimed });
}

/** From the claim on; one of the day before may reach over midnight. */
function openingsUntil(hours: HoursAt, claimed: string, at: string) {
  const from = dateAfter(localDate(claimed, hours.timeZone), -1);
  return openingsBetween(hours, from, localDate(at, hours.timeZone));
}

/** Keys may go out, and even come back, before the booked pick-up; instants sort as text. */
function serviceFrom({ checked_out_at: out, pick_up_at: booked }: Recording['row']): string {
  return out !== null && out < booked ? out : booked;
}
