// Imports of vehicles as they are shown: what the file was, what became of it, and its report.
import { z } from '@hono/zod-openapi';
import type { ImportRow } from '../../db/queries/vehicle-imports.ts';
import type { ImportProblem } from '../../domain/vehicle-import.ts';
import { Id, UtcInstant } from './common.ts';

const ImportProblemShown = z.object({
  row: z.int().openapi({ description: 'As a spreadsheet counts: 1 is the head' }),
  column: z.string().nullable().openapi({ description: 'null: the whole row' }),
  severity: z.enum(['error', 'warning']),
  problem: z.string(),
});

export const VehicleImport = z
  .object({
    id: Id,
    format: z.string().openapi({ enum: ['csv', 'xlsx'] }),
    contentSha256: z.string().openapi({ description: 'Of the bytes of the file, in hex' }),
    status: z.string().openapi({ enum: ['checked', 'refused', 'applied'] }),
    rows: z.int().openapi({ description: 'Vehicles in the file' }),
    errors: z.int(),
    warnings: z.int(),
    problems: z
      .array(ImportProblemShown)
      .readonly()
      .openapi({ description: 'In order of the rows; the first 1,000 of them' }),
    createdAt: UtcInstant,
    appliedAt: UtcInstant.nullable(),
    version: z.int(),
  })
  .openapi('VehicleImport');

/** In the document only: any bytes are taken, the report tells what is wrong with them. */
export const ImportFile = z.string().openapi({ format: 'binary' });

export function importView(row: ImportRow) {
  return {
    id: row.id,
    format: row.format,
    contentSha256: row.content_sha256,
    status: row.status,
    rows: row.row_count,
    errors: row.error_count,
    warnings: row.warning_count,
    problems: row.problems as unknown as readonly ImportProblem[],
    createdAt: row.created_at,
    appliedAt: row.applied_at,
    version: row.version,
  };
}
