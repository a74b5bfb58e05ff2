// Shortage cases as they are shown, with the ladder of help, and how they are resolved.
import { z } from '@hono/zod-openapi';
import type { ShortageRow } from '../../db/commands/shortages.ts';
import { SHORTAGE_STEPS } from '../../domain/shortage.ts';
import { BranchId, ClassId, Id, Minor, pageQuery, text, UtcInstant } from './common.ts';

export const NewResolution = z
  .strictObject({
    step: z.enum(SHORTAGE_STEPS),
    classId: ClassId.optional().openapi({ description: 'Of an upgrade, at the booked price' }),
    vehicleId: Id.optional().openapi({ description: 'Of a transfer or a sub-rental' }),
    costMinor: z.int().min(0).max(100_000_000).optional(),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .optional(),
    reason: text(200).optional().openapi({ description: 'Needed for a walk; names no persons' }),
  })
  .openapi('NewShortageResolution');

const shortage = {
  id: Id,
  rentalId: Id,
  branchId: BranchId,
  classId: ClassId,
  pickUpAt: UtcInstant,
  raisedAt: UtcInstant,
  step: z
    .enum([...SHORTAGE_STEPS, 'promoted', 'given_up'])
    .nullable()
    .openapi({ description: 'How it ended; null while it is open' }),
  upgradeClassId: ClassId.nullable(),
  vehicleId: Id.nullable(),
  costMinor: Minor.nullable(),
  currency: z.string().nullable(),
  reason: z.string().nullable(),
  resolvedAt: UtcInstant.nullable(),
  version: z.int(),
};

export const Shortage = z.object(shortage).openapi('Shortage');

export const ShortageWithProposals = z
  .object({
    ...shortage,
    proposals: z
      .object({
        upgrades: z.array(z.object({ classId: ClassId, free: z.int() })).readonly(),
        transfers: z
          .array(z.object({ vehicleId: Id, branchId: BranchId, travelMinutes: z.int() }))
          .readonly(),
        otherwise: z.array(z.enum(['sub_rental', 'walk'])).readonly(),
      })
      .nullable()
      .openapi({ description: 'In the order of the ladder; null for a case that is over' }),
  })
  .openapi('ShortageWithProposals');

export const ShortageList = z.strictObject({
  ...pageQuery(Id),
  branchId: BranchId.optional(),
  open: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .openapi({ type: 'boolean' }),
});

export function shortageView(row: ShortageRow): z.infer<typeof Shortage> {
  const { id, currency, reason, version } = row;
  return {
    id,
    rentalId: row.rental_id,
    branchId: row.branch_id,
    classId: row.class_id,
    pickUpAt: row.pick_up_at,
    raisedAt: row.raised_at,
    step: row.step as z.infer<typeof Shortage>['step'],
    upgradeClassId: row.upgrade_class_id,
    vehicleId: row.vehicle_id,
    costMinor: row.cost_minor,
    currency,
    reason,
    resolvedAt: row.resolved_at,
    version,
  };
}
