// The nightly proof's runs and differences as they are shown.
import { z } from '@hono/zod-openapi';
import type { FleetDifferenceRow, FleetProofRow } from '../../db/queries/reconciliation.ts';
import { DIFFERENCES, SUBJECTS } from '../../domain/reconciliation.ts';
import { BranchId, Id, pageQuery, UtcInstant } from './common.ts';

export const FleetProof = z
  .object({
    id: Id,
    startedAt: UtcInstant,
    finishedAt: UtcInstant.nullable().openapi({ description: 'null while it runs' }),
    rentals: z.int().openapi({ description: 'Open ones that it has looked at' }),
    workflows: z.int(),
    vehicles: z.int(),
    differences: z.int().nullable().openapi({ description: 'Open at its end' }),
  })
  .openapi('FleetProof');

export const StartProof = z
  .strictObject({
    graceSeconds: z
      .int()
      .min(1)
      .max(600)
      .optional()
      .openapi({ description: 'How long what looks wrong may take to come right; 120' }),
  })
  .openapi('StartProof');

export const StartedProof = z.object({ id: Id }).openapi('StartedProof');

const side = z.record(z.string(), z.unknown()).nullable();

export const FleetDifference = z
  .object({
    id: Id,
    kind: z.string().openapi({ enum: Object.keys(DIFFERENCES) }),
    subjectType: z.string().openapi({ enum: [...SUBJECTS] }),
    subjectId: Id,
    branchId: BranchId.nullable(),
    sides: z.record(z.string(), side).openapi({ description: 'What each of the two says' }),
    owner: z.string().openapi({ description: 'The role that mends it', example: 'fleet-planner' }),
    firstSeenAt: UtcInstant,
    lastSeenAt: UtcInstant,
    resolvedAt: UtcInstant.nullable(),
    version: z.int(),
  })
  .openapi('FleetDifference');

export const DifferenceList = z.strictObject({
  ...pageQuery(Id),
  open: z
    .enum(['true', 'false'])
    .transform((open) => open === 'true')
    .optional()
    .openapi({ type: 'boolean', description: 'Only those that are open, or resolved' }),
});

export function proofView(row: FleetProofRow) {
  const { id, rentals, workflows, vehicles, differences } = row;
  const when = { startedAt: row.started_at, finishedAt: row.finished_at };
  return { id, ...when, rentals, workflows, vehicles, differences };
}

export function differenceView(row: FleetDifferenceRow) {
  return {
    id: row.id,
    kind: row.kind,
    subjectType: row.subject_type,
    subjectId: row.subject_id,
    branchId: row.branch_id,
    sides: row.sides as Record<string, Record<string, unknown> | null>,
    owner: row.owner,
    firstSeenAt: row.first_seen,
    lastSeenAt: row.last_seen,
    resolvedAt: row.resolved_at,
    version: row.version,
  };
}
