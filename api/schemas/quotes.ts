// Quotes and prices: what a rental costs, line by line, with the reckoning behind each line.
import { z } from '@hono/zod-openapi';
import { BranchId, ClassId, Currency, Instant, Minor, UtcInstant } from './common.ts';

export const NewQuote = z
  .strictObject({ branchId: BranchId, classId: ClassId, pickUpAt: Instant, dueAt: Instant })
  .openapi('NewQuote');

const rate = z.int().openapi({ description: 'Hundredths of a per cent', example: 2000 });
const days = z.int();

const PriceLine = z.object({
  code: z.string().openapi({ example: 'time.week' }),
  quantity: z.int(),
  unitMinor: Minor,
  netMinor: Minor.openapi({ description: 'quantity × unitMinor' }),
  vatRateBp: rate,
  basis: z
    .record(z.string(), z.number())
    .readonly()
    .openapi({ description: 'The figures behind the quantity', example: { coversDays: 7 } }),
});

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
