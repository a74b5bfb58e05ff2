// Recalls as they are entered and shown.
import { z } from '@hono/zod-openapi';
import type { RecalledRow, RecallProgress } from '../../db/queries/recalls.ts';
import { BranchId, Id, Instant, pageQuery, text, UtcInstant } from './common.ts';
import { RepairCode } from './holds.ts';
import { changesSomething } from './vehicles.ts';

const Vin = z
  .string()
  .regex(/^[A-HJ-NPR-Z0-9]{17}$/)
  .openapi({ example: '1M8GDM9AXKP042788' });
const year = z.int().min(1900).max(2100);
const Jurisdiction = z
  .string()
  .regex(/^[A-Z]{2}$/)
  .openapi({ example: 'US', description: 'ISO 3166, or EU' });

const Scope = z
  .strictObject({
    vinPrefix: z
      .string()
      .regex(/^[A-HJ-NPR-Z0-9]{3,17}$/)
      .openapi({ description: 'The ninth place, the check digit, does not count' }),
    vinFrom: Vin,
    vinTo: Vin,
    make: text(60),
    model: text(60),
    yearFrom: year,
    yearTo: year,
  })
  .partial()
  .openapi('RecallScope', { description: 'All that is named must be met' });

export const NewRecall = z
  .strictObject({
    title: text(200),
    authorityNumber: text(60).openapi({ example: '26V-311' }),
    jurisdiction: Jurisdiction,
    noticeReceivedAt: Instant,
    isSafety: z.boolean(),
    hasInterimRemedy: z
      .boolean()
      .default(false)
      .openapi({ description: 'Until the remedy comes it may be rented, but not sold' }),
    isRemedyAvailable: z.boolean(),
    scopes: z.array(Scope).min(1).max(100).readonly(),
    deadlineHours: z
      .int()
      .min(0)
      .max(8_760)
      .optional()
      .openapi({ description: 'Elsewhere than in the US, whose law says 24 or 48' }),
    hardFrom: Instant.optional().openapi({ description: 'To block before the deadline' }),
  })
  .openapi('NewRecall');

export const RecallChange = z
  .strictObject({
    remedy: text(2_000).nullable().openapi({ description: 'What repairs a vehicle, for people' }),
    isRemedyAvailable: z.boolean(),
    deadlineHours: z
      .int()
      .min(0)
      .max(8_760)
      .openapi({ description: 'After the notice; elsewhere than in the US' }),
    hardFrom: Instant.openapi({ description: 'From when it blocks: by its deadline' }),
  })
  .partial()
  .refine(changesSomething, { message: 'must change something' })
  .openapi('RecallChange', { description: 'Which vehicles it means stays as it was entered' });

export const OpenedRecall = z
  .object({
    recallId: Id,
    status: z.enum(['noticed', 'grounded']),
    vehicles: z.int(),
    deadlineAt: UtcInstant,
    hardAt: UtcInstant.nullable().openapi({ description: 'null: they may be rented' }),
  })
  .openapi('OpenedRecall');

export const Recall = z
  .object({
    id: Id,
    title: z.string(),
    authorityNumber: z.string(),
    jurisdiction: z.string(),
    noticeReceivedAt: UtcInstant,
    deadlineAt: UtcInstant,
    hardAt: UtcInstant,
    groundedAt: UtcInstant.nullable(),
    isSafety: z.boolean(),
    hasInterimRemedy: z.boolean(),
    isRemedyAvailable: z.boolean(),
    remedy: z.string().nullable(),
    vehicles: z.int().openapi({ description: 'Of those that the caller may see' }),
    repaired: z.int(),
    onRent: z.int().openapi({ description: 'With a renter now, and still to be repaired' }),
    version: z.int(),
  })
  .openapi('Recall');

export const RecalledVehicle = z
  .object({
    vehicleId: Id,
    plate: z.string(),
    branchId: BranchId,
    holdId: Id,
    repairedAt: UtcInstant.nullable(),
    repairCode: z.string().nullable(),
    rental: z
      .object({
        rentalId: Id,
        number: z.string().nullable(),
        dueAt: UtcInstant.nullable(),
        returnBranchId: z.string().nullable(),
        notifiedAt: UtcInstant.nullable(),
        channel: z.string().nullable().openapi({ description: 'mail; none: somebody has to call' }),
      })
      .nullable()
      .openapi({ description: 'The one that has it now; null when it is in possession' }),
  })
  .openapi('RecalledVehicle');

const flag = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .optional()
  .openapi({ type: 'boolean' });

export const RecallList = z.strictObject(pageQuery(Id));
export const RecalledList = z.strictObject({ ...pageQuery(Id), onRent: flag, repaired: flag });

export const Repair = z
  .strictObject({ repairCode: RepairCode, reason: text(500).optional() })
  .openapi('RecallRepair');

export function recallView(row: RecallProgress): z.infer<typeof Recall> {
  return {
    id: row.id,
    title: row.title,
    authorityNumber: row.authority_number,
    jurisdiction: row.jurisdiction,
    noticeReceivedAt: row.notice_received_at,
    deadlineAt: row.deadline_at,
    hardAt: row.hard_at,
    groundedAt: row.grounded_at,
    isSafety: row.is_safety,
    hasInterimRemedy: row.has_interim_remedy,
    isRemedyAvailable: row.is_remedy_available,
    remedy: row.remedy,
    vehicles: row.vehicles,
    repaired: row.repaired,
    onRent: row.on_rent,
    version: row.version,
  };
}

export function recalledView(row: RecalledRow): z.infer<typeof RecalledVehicle> {
  const rental = row.rental_id && {
    rentalId: row.rental_id,
    number: row.rental_number,
    dueAt: row.due_at,
    returnBranchId: row.return_branch_id,
    notifiedAt: row.noticed_at,
    channel: row.channel,
  };
  return {
    vehicleId: row.vehicle_id,
    plate: row.plate,
    branchId: row.branch_id,
    holdId: row.hold_id,
    repairedAt: row.repaired_at,
    repairCode: row.repair_code,
    rental: rental || null,
  };
}
