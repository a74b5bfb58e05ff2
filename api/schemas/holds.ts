// Holds as they are sent and shown.
import { z } from '@hono/zod-openapi';
import type { HoldRow } from '../../db/commands/holds.ts';
import { HOLD_TYPES } from '../../domain/hold.ts';
import { BranchId, Id, Instant, pageQuery, text, UtcInstant } from './common.ts';
import { changesSomething } from './vehicles.ts';

export const HoldKind = z.enum(HOLD_TYPES);
const Severity = z.enum(['soft', 'hard']).openapi({ description: 'A soft one warns only' });
const km = z.int().min(0).max(5_000_000);
const fromKm = km.openapi({ description: 'The km that is due: in force when these are projected' });
const toleranceKm = km.openapi({ description: 'How far past fromKm a hard one still only warns' });
const hardFrom = Instant.openapi({
  description: 'When a hard one begins to block; left out, from',
});
export const RepairCode = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9./-]{1,39}$/)
  .openapi({ example: 'RC-24V-311/7' });

export const NewHold = z
  .strictObject({
    type: HoldKind,
    severity: Severity,
    reason: text(500),
    from: Instant.optional(),
    hardFrom: hardFrom.optional(),
    until: Instant.optional(),
    fromKm: fromKm.optional(),
    toleranceKm: toleranceKm.optional(),
    soonKm: km.optional(),
    barsSale: z.boolean().optional(),
  })
  .openapi('NewHold');

export const HoldChange = z
  .strictObject({
    severity: Severity,
    reason: text(500),
    from: Instant,
    hardFrom,
    until: Instant.nullable(),
    fromKm: fromKm.nullable(),
    toleranceKm,
    soonKm: km,
  })
  .partial()
  .refine(changesSomething, { message: 'must change something' })
  .openapi('HoldChange');

export const HoldLift = z
  .strictObject({
    reason: text(500),
    repairCode: RepairCode.optional(),
    approvalId: Id.optional().openapi({ description: 'Of kind hold-release, on this very hold' }),
  })
  .openapi('HoldLift');

const Affected = z
  .object({
    spanId: Id,
    kind: z.string(),
    ref: Id.openapi({ description: 'The rental, quote or transfer' }),
    grip: z.string(),
    from: UtcInstant,
    until: UtcInstant,
    movedTo: Id.nullable().openapi({ description: 'The other vehicle that it has now' }),
  })
  .openapi('AffectedSpan');

export const Hold = z
  .object({
    id: Id,
    vehicleId: Id,
    type: HoldKind,
    severity: Severity,
    reason: z.string(),
    from: UtcInstant,
    hardFrom: UtcInstant.nullable(),
    until: UtcInstant.nullable(),
    fromKm: z.int().nullable(),
    toleranceKm: z.int(),
    soonKm: z.int(),
    barsSale: z.boolean(),
    source: z.string(),
    sourceRef: z.string(),
    appliedBy: z.string(),
    appliedAt: UtcInstant,
    liftedBy: z.string().nullable(),
    liftedAt: UtcInstant.nullable(),
    liftReason: z.string().nullable(),
    liftedVia: z.string().nullable(),
    repairCode: z.string().nullable(),
    version: z.int(),
  })
  .openapi('Hold');

export const AppliedHold = Hold.extend({ affected: z.array(Affected).readonly() }).openapi(
  'AppliedHold',
);

const open = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .optional()
  .openapi({ type: 'boolean', description: 'Those that stand, or those that were lifted' });

export const VehicleHoldList = z.strictObject({
  ...pageQuery(Id),
  type: HoldKind.optional(),
  open,
});
export const HoldList = VehicleHoldList.extend({ branchId: BranchId.optional() });

export const HoldsQuery = z
  .strictObject({ from: Instant, to: Instant })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), {
    message: 'must lie after from',
    path: ['to'],
  });

const Says = z.enum(['free', 'shown', 'warns', 'blocks']);

export const Readiness = z
  .object({
    says: Says.openapi({ description: 'The strictest of all' }),
    projectedKm: z.int(),
    holds: z.array(z.object({ hold: Hold, says: Says })).readonly(),
  })
  .openapi('Readiness');

export function holdView(row: HoldRow): z.infer<typeof Hold> {
  return {
    id: row.id,
    vehicleId: row.vehicle_id,
    type: row.type as z.infer<typeof HoldKind>,
    severity: row.severity as z.infer<typeof Severity>,
    reason: row.reason,
    from: row.from_at,
    hardFrom: row.hard_from,
    until: row.until_at,
    fromKm: row.from_km,
    toleranceKm: row.tolerance_km,
    soonKm: row.soon_km,
    barsSale: row.bars_sale,
    source: row.source,
    sourceRef: row.source_ref,
    appliedBy: row.applied_by,
    appliedAt: row.applied_at,
    liftedBy: row.lifted_by,
    liftedAt: row.lifted_at,
    liftReason: row.lift_reason,
    liftedVia: row.lifted_via,
    repairCode: row.repair_code,
    version: row.version,
  };
}
