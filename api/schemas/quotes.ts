// Quotes and prices: what a rental costs, line by line, with the reckoning behind each line.
import { z } from '@hono/zod-openapi';
import { BranchId, ClassId, Currency, Instant, Minor, UtcInstant } from './common.ts';

const code = z.string().min(1).max(40).openapi({ example: 'cdw' });
const codes = z.array(code).max(20).optional();

/** What may be taken beside the vehicle, quoted or booked. */
export const choiceFields = {
  extras: z
    .array(z.strictObject({ code, count: z.int().min(1).max(20) }))
    .max(20)
    .optional(),
  coverages: codes,
  driverAges: z
    .array(z.int().min(16).max(120))
    .max(10)
    .optional()
    .openapi({ description: "At pick-up, the renter's first; not kept", example: [41, 22] }),
  surcharges: codes.openapi({ description: 'Beside those that the branch always charges' }),
  rate: code
    .optional()
    .openapi({ description: "A corporate's or agent's; for staff, and partners theirs" }),
  promotion: code.optional(),
  distance: z.int().min(0).max(1_000_000).optional().openapi({
    description: "An estimate, in the plan's unit; without it no distance is charged",
  }),
} as const;

export const NewQuote = z
  .strictObject({
    branchId: BranchId,
    classId: ClassId,
    pickUpAt: Instant,
    dueAt: Instant,
    returnBranchId: BranchId.optional(),
    ...choiceFields,
  })
  .openapi('NewQuote');

const rate = z.int().openapi({ description: 'Hundredths of a per cent', example: 2000 });
const days = z.int();

const PriceLine = z.object({
  code: z.string().openapi({ example: 'time.week' }),
  what: z.string().optional().openapi({ description: 'The season, rate or promotion' }),
  quantity: z.int(),
  unit: z.string().optional().openapi({ description: 'What one is', example: 'week' }),
  unitMinor: Minor,
  netMinor: Minor.openapi({ description: 'quantity × unitMinor, where prices are net' }),
  grossMinor: Minor.optional().openapi({ description: 'That, where prices include VAT' }),
  vatRateBp: rate,
  basis: z
    .record(z.string(), z.number())
    .readonly()
    .openapi({ description: 'The figures behind the quantity', example: { coversDays: 7 } }),
});

/** As in the plan, by its codes. */
const Chosen = z
  .object({
    branchId: z.string().optional(),
    returnBranchId: z.string().optional(),
    extras: z
      .array(z.object({ code: z.string(), count: z.int() }))
      .readonly()
      .optional(),
    coverages: z.array(z.string()).readonly().optional(),
    drivers: z.object({ bands: z.array(z.string()).readonly(), additional: z.int() }).optional(),
    surcharges: z.array(z.string()).readonly().optional(),
    rate: z.string().optional(),
    promotion: z.string().optional(),
    utilisationBp: rate.optional(),
    longTerm: z.object({ vatRateBp: rate, precedingMinutes: z.int().optional() }).optional(),
    distance: z.union([z.int(), z.array(z.int()).readonly()]).optional(),
  })
  .openapi({ description: 'What was taken beside the vehicle' });

/** Lines and VAT sum to the total. */
export const Price = z
  .object({
    currency: Currency,
    planId: z.string().openapi({ example: 'GOLD-1' }),
    planVersion: z.int(),
    duration: z.object({
      minutes: z.int(),
      wholeDays: days,
      excessMinutes: z.int(),
      chargedDays: days,
      extrasDays: days,
    }),
    lines: z.array(PriceLine).readonly(),
    netMinor: Minor,
    vat: z.array(z.object({ rateBp: rate, baseMinor: Minor, vatMinor: Minor })).readonly(),
    vatMinor: Minor,
    totalMinor: Minor,
    chosen: Chosen.optional(),
  })
  .openapi('Price');

export const Quote = z
  .object({
    branchId: BranchId,
    classId: ClassId,
    pickUpAt: UtcInstant,
    dueAt: UtcInstant,
    price: Price,
  })
  .openapi('Quote');
