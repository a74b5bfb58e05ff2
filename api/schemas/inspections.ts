// Inspections as they are told and shown.
import { z } from '@hono/zod-openapi';
import type { InspectionFileRow, InspectionRow } from '../../db/commands/inspections.ts';
import type { WholeInspection } from '../../db/queries/inspections.ts';
import {
  DAMAGE_KINDS,
  type Difference,
  differences,
  INSPECTION_KINDS,
  isProposed,
  PANELS,
  SEVERITIES,
} from '../../domain/inspection.ts';
import { Id, text, UtcInstant } from './common.ts';

const mark = {
  panel: z.enum(PANELS),
  kind: z.enum(DAMAGE_KINDS),
  severity: z.enum(SEVERITIES),
  count: z.int().min(1).max(99).default(1),
};
const reading = {
  odometerKm: z.int().min(0).max(10_000_000),
  fuelEighths: z.int().min(0).max(8).nullable().default(null),
  chargePercent: z.int().min(0).max(100).nullable().default(null),
};

const Mark = z.strictObject({ ...mark, note: text(500).nullable().default(null) });

export const NewInspection = z
  .strictObject({
    kind: z.enum(INSPECTION_KINDS),
    vehicleId: Id.nullable().default(null).openapi({
      description: 'One that the rental has, or had until an exchange; null: the one of now',
    }),
    ...reading,
    marks: z.array(Mark).max(200).default([]).openapi({ description: 'The body map' }),
    note: text(2_000).nullable().default(null),
    corrects: Id.nullable().default(null).openapi({
      description: 'The completed inspection that this one replaces',
    }),
  })
  .refine(({ fuelEighths, chargePercent }) => fuelEighths === null || chargePercent === null, {
    message: 'give the fuel or the charge, not both',
    path: ['chargePercent'],
  })
  .refine(({ marks }) => new Set(marks.map((m) => `${m.panel}/${m.kind}`)).size === marks.length, {
    message: 'one mark a panel and kind: count how many there are',
    path: ['marks'],
  })
  .openapi('NewInspection');

export const InspectionFileDetails = z.strictObject({
  kind: z.enum(['photo', 'signature']),
  panel: z.enum(PANELS).optional(),
});

export const IMAGES = ['image/jpeg', 'image/png', 'image/webp'] as const;

export const InspectionFile = z
  .object({
    id: Id,
    kind: z.string(),
    panel: z.string().nullable(),
    mediaType: z.string(),
    sha256: z.string().openapi({ description: 'Of the content as it is kept' }),
    sizeBytes: z.int(),
    uploadedBy: z.string(),
    uploadedAt: UtcInstant,
  })
  .openapi('InspectionFile');

const summary = {
  id: Id,
  rentalId: Id,
  vehicleId: Id,
  kind: z.string(),
  odometerKm: z.int(),
  fuelEighths: z.int().nullable(),
  chargePercent: z.int().nullable(),
  note: z.string().nullable(),
  corrects: Id.nullable(),
  createdBy: z.string(),
  createdAt: UtcInstant,
  completedBy: z.string().nullable(),
  completedAt: UtcInstant.nullable(),
  sealedSha256: z.string().nullable().openapi({
    description: 'Of all that it says with the hashes of its files, from its completion on',
  }),
  version: z.int(),
};

export const InspectionSummary = z.object(summary).openapi('InspectionSummary');

const seen = { ...mark, count: z.int() };

export const Inspection = z
  .object({
    ...summary,
    marks: z.array(z.object({ ...seen, note: z.string().nullable() })).readonly(),
    files: z.array(InspectionFile).readonly(),
    differences: z
      .array(
        z.object({
          ...seen,
          change: z.enum(['new', 'worse', 'pre-existing', 'unknown']),
          before: z.object({ severity: z.enum(SEVERITIES), count: z.int() }).nullable(),
          proposed: z.boolean().openapi({ description: 'As part of a damage case' }),
        }),
      )
      .readonly()
      .openapi({ description: 'Of one at the return: against the one at the hand-over' }),
  })
  .openapi('Inspection');

export function summaryView(row: InspectionRow): z.infer<typeof InspectionSummary> {
  return {
    id: row.id,
    rentalId: row.rental_id,
    vehicleId: row.vehicle_id,
    kind: row.kind,
    odometerKm: row.odometer_km,
    fuelEighths: row.fuel_eighths,
    chargePercent: row.charge_percent,
    note: row.note,
    corrects: row.corrects,
    createdBy: row.created_by,
    createdAt: row.created_at,
    completedBy: row.completed_by,
    completedAt: row.completed_at,
    sealedSha256: row.sealed_sha256,
    version: row.version,
  };
}

export function fileView(row: InspectionFileRow): z.infer<typeof InspectionFile> {
  return {
    id: row.id,
    kind: row.kind,
    panel: row.panel,
    mediaType: row.media_type,
    sha256: row.sha256,
    sizeBytes: row.size_bytes,
    uploadedBy: row.uploaded_by,
    uploadedAt: row.uploaded_at,
  };
}

export function inspectionView(whole: WholeInspection): z.infer<typeof Inspection> {
  const { row, marks, files, out } = whole;
  const found: readonly Difference[] = row.kind === 'in' ? differences(out, marks) : [];
  return {
    ...summaryView(row),
    marks,
    files: files.map(fileView),
    differences: found.map((one) => ({ ...one, proposed: isProposed(one) })),
  };
}
