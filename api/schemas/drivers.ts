// Drivers: what is asked of them by class, and the verdict on one. Ages and licences are not shown.
import { z } from '@hono/zod-openapi';
import type { DriverRuleRow } from '../../db/commands/driver-rules.ts';
import type { RentalDriver } from '../../db/rental-driver.ts';
import type { DriverVerdict } from '../../domain/driver.ts';
import { BranchId, ClassId, Id, Instant, text } from './common.ts';

export const NewEligibility = z
  .strictObject({
    branchId: BranchId,
    returnBranchId: BranchId.optional(),
    classId: ClassId,
    pickUpAt: Instant,
    dueAt: Instant,
  })
  .openapi('NewEligibility');

const verdict = {
  eligible: z.boolean(),
  reasons: z
    .array(
      z.enum([
        'no-licence',
        'licence-class',
        'licence-ends',
        'licence-too-new',
        'too-young',
        'too-old',
        'judged-for-another-time',
      ]),
    )
    .readonly(),
  young: z.boolean().openapi({ description: 'At pick-up; a birthday later changes nothing' }),
};

export const Eligibility = z.object(verdict).openapi('Eligibility');

export const RentalDriverShown = z
  .object({
    customerId: Id,
    ...verdict,
    overridden: z.boolean().openapi({ description: 'A manager lets them drive all the same' }),
    version: z.int(),
  })
  .openapi('RentalDriver');

export const DriverOverride = z
  .strictObject({
    reason: text(200).openapi({ description: 'For the audit log; names no persons' }),
  })
  .openapi('DriverOverride');

export const DriverRuleClass = z.union([ClassId, z.literal('*')]).openapi({
  description: 'A vehicle class, or * for those without a rule of their own',
  example: 'CDMR',
});

export const NewDriverRule = z
  .strictObject({
    minAge: z.int().min(14).max(99),
    maxAge: z.int().max(120).nullable(),
    youngBelowAge: z.int().min(14).max(120),
    minHeldMonths: z.int().min(0).max(120),
    licenceClass: z.string().regex(/^[A-Z0-9]{1,4}$/),
  })
  .refine(({ minAge, maxAge }) => maxAge === null || maxAge >= minAge, {
    message: 'must not be below minAge',
    path: ['maxAge'],
  })
  .refine(({ minAge, youngBelowAge }) => youngBelowAge >= minAge, {
    message: 'must not be below minAge',
    path: ['youngBelowAge'],
  })
  .openapi('NewDriverRule');

export const DriverRuleShown = z
  .object({
    classId: z.string(),
    minAge: z.int(),
    maxAge: z.int().nullable(),
    youngBelowAge: z.int(),
    minHeldMonths: z.int(),
    licenceClass: z.string(),
    version: z.int(),
  })
  .openapi('DriverRule');

export function eligibilityView({ eligible, reasons, young }: DriverVerdict) {
  return { eligible, reasons, young };
}

export function driverView({ customerId, verdict: found, overridden, version }: RentalDriver) {
  return { customerId, ...eligibilityView(found), overridden, version };
}

export function driverRuleView(row: DriverRuleRow) {
  return {
    classId: row.class_id,
    minAge: row.min_age,
    maxAge: row.max_age,
    youngBelowAge: row.young_below_age,
    minHeldMonths: row.min_held_months,
    licenceClass: row.licence_class,
    version: row.version,
  };
}
