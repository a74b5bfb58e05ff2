// What a consumer accepts of the rentals domain: the zod contract of each of its events.
import { z } from 'zod';
import type { RentalEvents } from '../../domain/events/rentals.ts';
import { code, currency, id, instant, minor } from './parts.ts';

const quote = {
  quoteId: id,
  branchId: code,
  classId: code,
  status: code,
  rentalId: id.nullable(),
};
const rental = { rentalId: id, branchId: code, status: code };

export const rentalContracts = {
  'forecourt.rental.reserved.v1': z.object({
    ...rental,
    number: code,
    customerId: id,
    classId: code,
    vehicleId: id.nullable(),
    pickUpAt: instant,
    dueAt: instant,
    totalMinor: minor,
    currency,
  }),
  'forecourt.rental.checked-out.v1': z.object({
    ...rental,
    vehicleId: id,
    odometerKm: z.int(),
    fuelEighths: z.int(),
    checkedOutAt: instant,
    dueAt: instant,
  }),
  'forecourt.rental.extended.v1': z.object({
    ...rental,
    previousDueAt: instant,
    dueAt: instant,
    totalMinor: minor,
    currency,
  }),
  'forecourt.rental.checked-in.v1': z.object({
    ...rental,
    vehicleId: id,
    odometerKm: z.int(),
    fuelEighths: z.int(),
    checkedInAt: instant,
  }),
  'forecourt.rental.closed.v1': z.object({ ...rental, invoiceId: id, totalMinor: minor, currency }),
  'forecourt.rental.cancelled.v1': z.object({ ...rental, cancelledAt: instant, reason: code }),
  'forecourt.rental.no-show.v1': z.object({ ...rental, pickUpAt: instant }),
  'forecourt.rental.return-reminder.v1': z.object({ ...rental, dueAt: instant }),
  'forecourt.rental.overdue.v1': z.object({
    ...rental,
    vehicleId: id,
    dueAt: instant,
    keptUntil: instant,
  }),
  'forecourt.quote.held.v1': z.object({
    ...quote,
    pickUpAt: instant,
    dueAt: instant,
    heldUntil: instant,
    totalMinor: minor,
    currency,
  }),
  'forecourt.quote.ended.v1': z.object(quote),
  'forecourt.rate-plan.published.v1': z.object({ planId: code, planVersion: z.int() }),
  'forecourt.customer.registered.v1': z.object({ customerId: id }),
  'forecourt.customer.updated.v1': z.object({ customerId: id }),
  'forecourt.customer.contacts-erased.v1': z.object({ customerId: id }),
  'forecourt.customer.erased.v1': z.object({ customerId: id }),
} as const satisfies { readonly [T in keyof RentalEvents]: z.ZodType<RentalEvents[T]> };
