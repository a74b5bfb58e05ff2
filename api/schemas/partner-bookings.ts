// Bookings of partners as they are sent and shown: every answer has the partner's own reference.
import { z } from '@hono/zod-openapi';
import { CHARGED_REASONS, type RentalState } from '../../domain/rental.ts';
import { BranchId, ClassId, Currency, Id, Instant, Minor, text, UtcInstant } from './common.ts';

/** It stands in addresses as it is. */
const REFERENCE = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

export const ExternalReference = z
  .string()
  .regex(REFERENCE, 'must be 1 to 64 of A-Z a-z 0-9 . _ : -, the first a letter or digit')
  .openapi({ description: 'The partner’s own, unique for it', example: 'BK-2027-000815' });

export const NewPartnerBooking = z
  .strictObject({
    externalReference: ExternalReference,
    branchId: BranchId,
    classId: ClassId,
    pickUpAt: Instant,
    dueAt: Instant,
    returnBranchId: BranchId.optional(),
    customer: z.strictObject({
      name: text(200),
      email: z.email().max(254).optional(),
      phone: z
        .string()
        .regex(/^\+[0-9]{6,15}$/, 'must be international, e.g. +43123456789')
        .optional(),
      language: z
        .string()
        .regex(/^[a-z]{2}$/)
        .optional(),
    }),
  })
  .openapi('NewPartnerBooking');

export const CancelPartnerBooking = z
  .strictObject({ reason: z.enum(CHARGED_REASONS) })
  .openapi('CancelPartnerBooking');

export const PartnerBooking = z
  .object({
    externalReference: ExternalReference,
    rentalId: Id,
    number: z.string(),
    status: z.string(),
    branchId: BranchId,
    returnBranchId: BranchId,
    classId: ClassId,
    pickUpAt: UtcInstant,
    dueAt: UtcInstant,
    totalMinor: Minor,
    currency: Currency,
  })
  .openapi('PartnerBooking');

export function partnerBookingView(externalReference: string, rental: RentalState) {
  const { id: rentalId, number, status, branchId, returnBranchId, classId } = rental;
  const { pickUpAt, dueAt, price } = rental;
  const money = { totalMinor: price.totalMinor, currency: price.currency };
  const places = { branchId, returnBranchId, classId };
  return { externalReference, rentalId, number, status, ...places, pickUpAt, dueAt, ...money };
}
