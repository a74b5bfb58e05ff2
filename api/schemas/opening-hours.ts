// Opening hours as they are sent and shown: the week, its exceptions, and each date resolved.
import { z } from '@hono/zod-openapi';
import { BranchId, Currency, Id, Minor, text, UtcInstant } from './common.ts';

const opens = z
  .string()
  .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/)
  .openapi({ example: '08:00' });
const closes = z
  .string()
  .regex(/^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/)
  .openapi({ example: '18:00', description: 'Not later than `opens`: on the next date' });

const differs = { message: 'must close at another time than it opens' };
const shut = (period: { readonly opens: string; readonly closes: string }) =>
  period.opens !== period.closes;

const Period = z.strictObject({ opens, closes }).refine(shut, differs).openapi('OpeningPeriod');
const WeeklyPeriod = z
  .strictObject({
    weekday: z.int().min(1).max(7).openapi({ description: 'ISO: 1 is Monday' }),
    opens,
    closes,
  })
  .refine(shut, differs)
  .openapi('WeeklyPeriod');

const declared = {
  weekly: z.array(WeeklyPeriod).max(70).readonly().nullable().openapi({
    description: 'Local time; null: always open. Nothing on a weekday: closed',
  }),
  keyDrop: z.boolean().openapi({ description: 'Vehicles may come back while it is closed' }),
  outOfHours: z
    .strictObject({
      feeMinor: z.int().min(0).max(10_000_000).openapi({ description: 'Net, a handover' }),
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/)
        .openapi({ example: 'EUR' }),
    })
    .nullable()
    .openapi({ description: 'null: none goes out while it is closed' }),
};

export const NewOpeningHours = z.strictObject(declared).openapi('NewOpeningHours');

export const NewException = z
  .strictObject({
    periods: z.array(Period).max(10).readonly().openapi({ description: 'None: closed all day' }),
    reason: text(200),
  })
  .openapi('NewOpeningException');

/** A date of the calendar, such as 2027-12-25. */
export const LocalDate = z.iso.date().openapi({ example: '2027-12-25' });

export const OpeningHoursQuery = z.strictObject({
  from: LocalDate.optional().openapi({ description: 'Local; left out, today' }),
  to: LocalDate.optional().openapi({ description: 'Included; left out, six days later' }),
});

export const OpeningHours = z
  .object({
    branchId: BranchId,
    timeZone: z.string(),
    weekly: declared.weekly,
    keyDrop: z.boolean(),
    outOfHours: z.object({ feeMinor: Minor, currency: Currency }).nullable(),
    version: z.int().openapi({ description: "The branch's" }),
    days: z
      .array(
        z.object({
          date: LocalDate,
          periods: z.array(z.object({ opens, closes })).readonly(),
          open: z.array(z.object({ from: UtcInstant, to: UtcInstant })).readonly(),
          reason: z.string().nullable().openapi({ description: 'Of the exception, if it is one' }),
        }),
      )
      .readonly(),
  })
  .openapi('OpeningHours');

export const AffectedRentals = z
  .object({
    items: z
      .array(
        z.object({
          rentalId: Id,
          number: z.string(),
          handover: z.enum(['pick-up', 'return']),
          at: UtcInstant,
          problem: z.enum(['closed', 'fee']),
          nextOpening: UtcInstant.nullable(),
        }),
      )
      .readonly(),
  })
  .openapi('AffectedRentals');
