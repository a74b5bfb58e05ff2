// Keys out and keys back: the calendar, the rental and, at the return, the invoice in one transaction.
import { finalQuote } from '../../domain/pricing.ts';
import { usageOf } from '../../domain/rental/usage.ts';
import type { CheckIn, CheckOut, Reading, RentalOutcome } from '../../domain/rental.ts';
import { publish } from '../outbox.ts';
import { issueInvoice } from './accounting.ts';
import { handOutSpan, returnSpan } from './calendar.ts';
import { demandInspection } from './inspections.ts';
import { recordDashReading } from './meters.ts';
import { forfeitDeposit } from './payment-entries.ts';
import { assertDrivers } from './rental-drivers.ts';
import { type Recording, ratingOf, updateRental } from './rental-update.ts';

export async function handOut(recording: Recording, keys: CheckOut): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const { odometerKm, fuelEighths } = keys;
  await assertDrivers(tx, row.id);
  const span = await handOutSpan(tx, row.id, at, keys);
  const { vehicleId, moved: reassigned, warnings = [] } = span;
  await demandInspection(tx, 'out', { rentalId: row.id, vehicleId, branchId: row.branch_id });
  await recordDashReading(tx, { vehicleId, odometerKm, fuelEighths, at, origin: 'check-out' });
  const version = await updateRental(recording, {
    status: 'active',
    vehicle_id: vehicleId,
    checked_out_at: at,
    odometer_out_km: odometerKm,
    fuel_out_eighths: fuelEighths,
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
  const told = warnings.length === 0 ? {} : { warnings };
  return { type: 'checkedOut', at, version, reassigned, vehicleId, ...reading, ...told };
}

/**
 * The vehicle is back: priced by actual times, distance and fuel, invoiced to receivables. The invoice
 * comes last, because its number keeps the whole series waiting until this transaction ends. Throws
 * `value-refused` for a branch to which the plan offers no way.
 */
export async function takeBack(
  recording: Recording,
  { odometerKm, fuelEighths, branchId }: CheckIn,
): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const span = await returnSpan(tx, row.id, at, { odometerKm, fuelEighths, branchId });
  const { vehicleId } = span;
  await demandInspection(tx, 'in', { rentalId: row.id, vehicleId, branchId });
  await recordDashReading(tx, { vehicleId, odometerKm, fuelEighths, at, origin: 'check-in' });
  const { rating, tank } = await ratingOf(tx, row, at);
  const price = finalQuote({
    ...rating,
    ...usageOf(rating.plan, readingOut(row), { odometerKm, fuelEighths }, tank),
    dueAt: row.due_at,
    returnAt: at,
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
      checkedInAt: at,
    },
  });
  await forfeitDeposit(tx, {
    key: `rental/${row.id}/final-invoice/deposit`,
    rentalId: row.id,
    currency: row.currency,
    at,
    documentMinor: price.totalMinor,
  });
  const invoice = await issueInvoice(tx, {
    key: `rental/${row.id}/final-invoice`,
    entityId: row.entity_id,
    branchId: row.branch_id,
    rentalId: row.id,
    customerId: row.payer_id ?? row.customer_id,
    serviceFrom: serviceFrom(row),
    serviceTo: at,
    quote: price,
  });
  const version = await updateRental(recording, {
    status: 'returned',
    overdue: false,
    return_branch_id: branchId,
    checked_in_at: at,
    odometer_in_km: odometerKm,
    fuel_in_eighths: fuelEighths,
    price: JSON.stringify(price),
    total_minor: price.totalMinor,
    invoice_id: invoice.invoiceId,
    invoice_number: invoice.number,
  });
  const reading = { odometerKm, fuelEighths, branchId };
  const { invoiceId, number: invoiceNumber } = invoice;
  const money = { price, invoiceId, invoiceNumber };
  return { type: 'checkedIn', at, version, reassigned: span.moved, ...reading, ...money };
}

/** Keys may go out, and even come back, before the booked pick-up; instants sort as text. */
function serviceFrom({ checked_out_at: out, pick_up_at: booked }: Recording['row']): string {
  return out !== null && out < booked ? out : booked;
}

/** A row that is out has both (rental_out_has_vehicle). */
function readingOut({ odometer_out_km: km, fuel_out_eighths: fuel }: Recording['row']): Reading {
  if (km === null || fuel === null) throw new Error('A rental is out without a reading.');
  return { odometerKm: km, fuelEighths: fuel };
}
