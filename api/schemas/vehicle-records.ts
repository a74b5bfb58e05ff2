// Plates over time, the upgrade ladder and what expires, as they are asked for and shown.
import { z } from '@hono/zod-openapi';
import type { Expiry, PlatePeriod } from '../../db/queries/vehicle-records.ts';
import { BranchId, ClassId, Id, Instant, pageQuery, text, UtcInstant } from './common.ts';
import { PlateJurisdiction } from './vehicle-data.ts';

export const PlateQuestion = z.strictObject({
  plate: text(20).openapi({ description: 'Spaces, hyphens and case do not matter' }),
  at: Instant.optional().openapi({ description: 'Left out: now' }),
  jurisdiction: PlateJurisdiction.optional(),
});

const PlatePeriodShown = z
  .object({
    vehicleId: Id,
    plate: z.string(),
    jurisdiction: z.string(),
    from: UtcInstant,
    until: z.string().nullable().openapi({ description: 'null while it has it' }),
  })
  .openapi('PlatePeriod');

export const PlatePeriods = z
  .object({ items: z.array(PlatePeriodShown).readonly() })
  .openapi('PlatePeriods');

export function platesView(items: readonly PlatePeriod[]) {
  return { items };
}

const MAX_STEPS = 10;

export const UpgradeLadder = z
  .object({
    classId: ClassId,
    upgrades: z.array(z.string()).readonly().openapi({ description: 'The nearest first' }),
    version: z.int().openapi({ description: 'Of the class' }),
  })
  .openapi('UpgradeLadder');

export const NewLadder = z
  .strictObject({
    upgrades: z
      .array(ClassId)
      .max(MAX_STEPS)
      .refine((ids) => new Set(ids).size === ids.length, { message: 'must not repeat a class' }),
  })
  .openapi('NewUpgradeLadder');

const DAYS = ['7', '30', '60'] as const;

export const ExpiryList = z.strictObject({
  ...pageQuery(Id),
  within: z
    .enum(DAYS)
    .default('60')
    .transform(Number)
    .openapi({ type: 'integer', enum: DAYS.map(Number), description: 'Days from now' }),
  branchId: BranchId.optional(),
});

export const ExpiryShown = z
  .object({
    id: Id.openapi({ description: 'Of the document or hold, or of the vehicle for off_hire' }),
    what: z.string().openapi({ enum: ['document', 'hold', 'off_hire'] }),
    kind: z.string(),
    vehicleId: Id,
    plate: z.string(),
    branchId: BranchId,
    dueAt: UtcInstant.openapi({ description: 'From then on; past ones are overdue' }),
  })
  .openapi('VehicleExpiry');

export function expiryView(row: Expiry) {
  return {
    id: row.id,
    what: row.what,
    kind: row.kind,
    vehicleId: row.vehicle_id,
    plate: row.plate,
    branchId: row.branch_id,
    dueAt: row.due_at,
  };
}
