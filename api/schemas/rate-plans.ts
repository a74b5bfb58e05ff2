// Rate plans as they are sent and shown: their shape; domain/rate-plan-rules.ts knows the rules.
import { z } from '@hono/zod-openapi';
import type { RatePlanRow } from '../../db/queries/rate-plans.ts';
import { BILLING_CYCLES, EXTENSION_MODES, PARTS } from '../../domain/rate-plan-terms.ts';
import { BranchId, ClassId, Currency, Instant, Minor, pageQuery, UtcInstant } from './common.ts';

export const PlanId = z
  .string()
  .regex(/^[A-Z0-9][A-Z0-9-]{0,39}$/)
  .openapi({ example: 'GOLD-1' });
const PlanKey = z.string().regex(/^[A-Z0-9][A-Z0-9-]{0,39}\/[0-9]{1,7}$/);

const code = z.string().max(40).openapi({ example: 'airport' });
const percentBp = z.int().openapi({ description: 'Hundredths of a per cent', example: 10_000 });
const date = z.iso.date().openapi({ example: '2027-07-01' });
const maxDays = z.int().optional();
const maxMinor = Minor.optional();
const branches = z.array(BranchId).max(200).optional();
const list = <T extends z.ZodType>(item: T) => z.array(item).max(200);
const taxed = {
  vatRateBp: percentBp.optional().openapi({ description: "Left out, the plan's" }),
};

const lines = z
  .array(
    z.strictObject({
      code: z.enum(['day', 'week', 'month']),
      priceMinor: Minor,
      coversDays: z.int(),
    }),
  )
  .max(3);
const basis = z.union([z.literal('total'), z.array(z.enum(PARTS)).max(PARTS.length)]).openapi({
  description: 'What the per cent is of; a percentage is in no base, its own included',
});
const weekMinute = z.int().openapi({ description: 'Of the local week, from Monday 00:00' });

const time = {
  lines,
  bands: list(z.strictObject({ fromDays: z.int(), dayMinor: Minor })).optional(),
  hourMinor: Minor,
  graceMinutes: z.int(),
  extraDayThresholdMinutes: z.int(),
  partDays: list(z.strictObject({ fromMinutes: z.int(), percentBp })).optional(),
  minimum: z.enum(['day', 'hours']),
  dayBasis: z.enum(['elapsed', 'wallClock']),
  weekend: z.strictObject({ priceMinor: Minor, from: weekMinute, until: weekMinute }).optional(),
  seasons: list(
    z.strictObject({
      code,
      from: date,
      to: date,
      lines: lines.optional(),
      hourMinor: Minor.optional(),
      percentBp: percentBp.optional(),
    }),
  ).optional(),
  utilisation: list(z.strictObject({ fromBp: percentBp, percentBp })).optional(),
  rates: list(
    z.strictObject({
      code,
      kind: z.enum(['corporate', 'agent']),
      lines: lines.optional(),
      hourMinor: Minor.optional(),
      discountBp: percentBp.optional(),
    }),
  ).optional(),
  promotions: list(
    z.strictObject({
      code,
      discountBp: percentBp.optional(),
      amountMinor: Minor.optional(),
      pickUpFrom: date,
      pickUpTo: date,
      bookUntil: date.optional(),
      withRate: z.boolean(),
    }),
  ).optional(),
};

const extra = { code, ...taxed };
const items = {
  coverages: list(
    z.strictObject({
      ...extra,
      dailyMinor: Minor,
      maxMinor,
      excessMinor: Minor,
      needs: list(code).optional(),
      excludes: list(code).optional(),
    }),
  ).optional(),
  extras: list(
    z.discriminatedUnion('kind', [
      z.strictObject({ ...extra, kind: z.literal('daily'), dailyMinor: Minor, maxMinor }),
      z.strictObject({ ...extra, kind: z.literal('fixed'), priceMinor: Minor }),
      z.strictObject({ ...extra, kind: z.literal('percentage'), percentBp, basis }),
    ]),
  ).optional(),
  ageBands: list(
    z.strictObject({ ...extra, fromAge: z.int(), toAge: z.int(), dailyMinor: Minor, maxDays }),
  ).optional(),
  additionalDriver: z
    .strictObject({ ...taxed, dailyMinor: Minor, maxDays, free: z.int() })
    .optional(),
  oneWay: z
    .strictObject({
      ...taxed,
      defaultMinor: Minor.nullable(),
      pairs: list(z.strictObject({ from: BranchId, to: BranchId, feeMinor: Minor })),
    })
    .optional(),
  surcharges: list(
    z.strictObject({ ...extra, dailyMinor: Minor, maxDays, maxMinor, branches }),
  ).optional(),
  percentageFees: list(z.strictObject({ ...extra, percentBp, basis, branches })).optional(),
};

const over = {
  ...taxed,
  unit: z.enum(['km', 'mi']),
  included: z.int(),
  overMinor: Minor,
  pooled: z.boolean(),
};
const secured = {
  amountMinor: Minor.optional(),
  percentBp: percentBp.optional().openapi({ description: 'Of the total; or `amountMinor`' }),
};
const deposit = z
  .strictObject({
    ...secured,
    classes: list(z.strictObject({ ...secured, classId: ClassId })).optional(),
    coverages: list(z.strictObject({ ...secured, code })).optional(),
  })
  .optional()
  .openapi({ description: 'What a card has to hold before the keys go out; left out, nothing' });

const ends = {
  deposit,
  mileage: z
    .discriminatedUnion('kind', [
      z.strictObject({ ...taxed, unit: over.unit, kind: z.literal('unlimited') }),
      z.strictObject({ ...over, kind: z.literal('daily') }),
      z.strictObject({ ...over, kind: z.literal('period'), days: z.int() }),
    ])
    .optional(),
  fuel: z
    .strictObject({
      ...taxed,
      policy: z.enum(['fullToFull', 'same', 'prepaid']),
      unit: z.enum(['l', 'gal']),
      unitMinor: Minor,
      tank: z.int(),
      kWhMinor: Minor.optional(),
      serviceMinor: Minor.optional(),
    })
    .optional(),
  extension: z.enum(EXTENSION_MODES).optional(),
  earlyReturn: z.enum(['rerate', 'keep']).optional(),
  returnChange: z
    .strictObject({
      ...taxed,
      feeMinor: Minor,
      earlierMinutes: z.int().min(0),
      laterMinutes: z.int().min(0),
    })
    .optional(),
  lateReturn: z
    .strictObject({ ...taxed, dailyMinor: Minor, afterMinutes: z.int().min(0), maxDays: z.int() })
    .optional(),
  cancellation: z
    .strictObject({ earlyMinor: Minor, lateMinor: Minor, lateMinutes: z.int().min(0) })
    .optional(),
  billing: z
    .strictObject({ cycle: z.enum(BILLING_CYCLES), paymentDays: z.int().min(0).optional() })
    .optional()
    .openapi({ description: 'How rentals of more than 30 days are invoiced while they are open' }),
};

const plan = {
  id: PlanId,
  version: z.int().min(1).max(1_000_000).openapi({ description: 'One more than the newest' }),
  currency: Currency,
  branches: branches.openapi({ description: 'Pick-ups that it prices; left out, all' }),
  classes: z.array(ClassId).max(200).optional(),
  vatRateBp: percentBp,
  longTermVatRateBp: percentBp.optional().openapi({
    description: 'At the customer’s place, for hire of more than 30 days; left out, no other',
  }),
  pricesInclude: z.enum(['none', 'vat']).optional(),
  ...time,
  ...items,
  ...ends,
};

const Terms = z.strictObject(plan).openapi('RatePlanTerms');

export const NewRatePlan = z
  .strictObject({
    terms: Terms,
    validFrom: Instant.optional().openapi({ description: 'Left out, now' }),
  })
  .openapi('NewRatePlan');

export const RatePlan = z
  .object({
    id: PlanId,
    version: z.int(),
    validFrom: UtcInstant,
    terms: Terms,
  })
  .openapi('RatePlan');

export const RatePlanList = z.strictObject({ ...pageQuery(PlanKey), planId: PlanId.optional() });

export function ratePlanView(row: RatePlanRow): z.infer<typeof RatePlan> {
  const { id, version, valid_from: validFrom, terms } = row;
  return { id, version, validFrom, terms: terms as z.infer<typeof Terms> };
}
