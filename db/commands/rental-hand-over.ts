// Keys out and keys back: the calendar, the rental and, at the return, the invoice in one transaction.
import { finalQuote } from '../../domain/pricing.ts';
import type { CheckIn, CheckOut, RentalOutcome } from '../../domain/rental.ts';
import { publish } from '../outbox.ts';
import { issueInvoice } from './accounting.ts';
import { handOutSpan, returnSpan } from './calendar.ts';
import { recordDashReading } from './meters.ts';
import { type Recording, ratingOf, updateRental } from './rental-update.ts';

export async function handOut(recording: Recording, keys: CheckOut): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const { odometerKm, fuelEighths } = keys;
  const span = await handOutSpan(tx, row.id, at, keys);
  const { vehicleId, moved: reassigned, warnings = [] } = span;
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
 * The vehicle is back: priced by actual times, invoiced to receivables. The invoice comes last,
 * because its number keeps the whole series waiting until this transaction ends.
 */
export async function takeBack(
  recording: Recording,
  { odometerKm, fuelEighths, branchId }: CheckIn,
): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const span = await returnSpan(tx, row.id, at, { odometerKm, fuelEighths, branchId });
  const { vehicleId } = span;
  await recordDashReading(tx, { vehicleId, odometerKm, fuelEighths, at, origin: 'check-in' });
  const price = finalQuote({
    ...(await ratingOf(tx, row, at)),
    dueAt: row.due_at,
    returnAt: at,
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
  const invoice = await issueInvoice(tx, {
    key: `rental/${row.id}/final-invoice`,
    entityId: row.entity_id,
    branchId: row.branch_id,
    rentalId: row.id,
    customerId: row.customer_id,
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
