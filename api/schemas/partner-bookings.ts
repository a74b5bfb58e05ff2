// Bookings of partners as they are sent and shown: every answer has the partner's own reference.
import { z } from '@hono/zod-openapi';
import { documentsByPayer, type PayerShare } from '../../domain/payer-share.ts';
import { CHARGED_REASONS, type RentalState } from '../../domain/rental.ts';
import { BranchId, ClassId, Currency, Id, Instant, Minor, text, UtcInstant } from './common.ts';
import { Flight } from './flights.ts';
import { Code } from './payers.ts';
import { choiceFields, Price } from './quotes.ts';
import { otherChoices } from './rental-commands.ts';
import { choiceNames } from './rentals.ts';
import { changesSomething } from './vehicles.ts';

/** It stands in addresses as it is. */
const REFERENCE = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

export const ExternalReference = z
  .string()
  .regex(REFERENCE, 'must be 1 to 64 of A-Z a-z 0-9 . _ : -, the first a letter or digit')
  .openapi({ description: 'The partner’s own, unique for it', example: 'BK-2027-000815' });

const netMinor = z.int().min(1).max(1_000_000_000).optional().openapi({
  description:
    'What the partner reckons with; refused (422) where the rate comes to another amount',
  example: 18_000,
});

const Voucher = z.strictObject({
  covers: z
    .array(Code)
    .min(1)
    .max(20)
    .readonly()
    .optional()
    .openapi({
      description: 'Codes of lines, or their first part, that the partner pays; left out, the time',
      example: ['time'],
    }),
  netMinor,
});

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
    ...choiceFields,
    voucher: Voucher.optional().openapi({
      description:
        'The partner pays what it covers, at `rate`, net and by an invoice of its own; the renter ' +
        'pays the rest at the public price, and sees nothing of that rate',
    }),
    quoteId: Id.optional().openapi({
      description: 'A held quote of the partner’s; it brings what was taken with it',
    }),
    flight: Flight.optional(),
  })
  .refine(({ voucher, rate }) => voucher === undefined || rate !== undefined, {
    message: 'a voucher is reckoned by a rate',
    path: ['rate'],
  })
  .refine(
    ({ quoteId, voucher, ...taken }) =>
      quoteId === undefined ||
      (voucher === undefined && choiceNames.every((name) => taken[name] === undefined)),
    { message: 'a held quote is accepted as it was given', path: ['quoteId'] },
  )
  .openapi('NewPartnerBooking');

export const AmendPartnerBooking = z
  .strictObject({
    classId: ClassId.optional(),
    returnBranchId: BranchId.optional(),
    pickUpAt: Instant.optional(),
    dueAt: Instant.optional(),
    ...otherChoices,
    voucher: z.strictObject({ netMinor }).optional().openapi({
      description: 'It is reckoned anew, by the rate with which it was booked',
    }),
  })
  .refine(({ voucher: _, ...change }) => changesSomething(change), {
    message: 'must change something',
  })
  .openapi('AmendPartnerBooking', { description: 'What is left out stays as it is' });

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
    totalMinor: Minor.openapi({ description: 'The public price, whoever pays it' }),
    currency: Currency,
    voucher: z
      .object({
        covers: z.array(z.string()).readonly(),
        netMinor: Minor,
        vatMinor: Minor,
        totalMinor: Minor,
      })
      .nullable()
      .openapi({ description: 'What the partner is invoiced' }),
    renterPaysMinor: Minor.openapi({ description: 'At the counter, taxes included' }),
    price: Price,
  })
  .openapi('PartnerBooking');

/** `shares` as they are in force, none where the renter pays all; `payers` are the partner's records. */
export function partnerBookingView(
  externalReference: string,
  rental: RentalState,
  { shares, payers }: Paying,
) {
  const { id: rentalId, number, status, branchId, returnBranchId, classId } = rental;
  const { pickUpAt, dueAt, price } = rental;
  const money = { totalMinor: price.totalMinor, currency: price.currency };
  const places = { branchId, returnBranchId, classId };
  const booked = { externalReference, rentalId, number, status, ...places, pickUpAt, dueAt };
  return { ...booked, ...money, ...paidBy(price, { shares, payers }), price };
}

type Paying = { readonly shares: readonly PayerShare[]; readonly payers: readonly string[] };

function paidBy(price: RentalState['price'], { shares, payers }: Paying) {
  if (shares.length === 0) return { voucher: null, renterPaysMinor: price.totalMinor };
  const documents = documentsByPayer(price, shares);
  const own = documents.find(
    ({ share }) => share.kind === 'voucher' && payers.includes(share.payerId),
  );
  const voucher = own && {
    covers: own.share.covers,
    netMinor: own.netMinor,
    vatMinor: own.vatMinor,
    totalMinor: own.totalMinor,
  };
  const rest = documents.filter(({ share }) => share.kind === 'renter');
  const renterPaysMinor = rest.reduce((sum, { totalMinor }) => sum + totalMinor, 0);
  return { voucher: voucher ?? null, renterPaysMinor };
}
