// A file of rows as an import takes it: which kinds, how it is described, and what it holds at all.
import { createHash } from 'node:crypto';
import { type ImportProblem, problemOf } from '../../domain/vehicle-import.ts';
import { ImportFile } from '../schemas/imports.ts';
import { formatOf, readTable } from './table.ts';

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
export const IMPORT_MEDIA_TYPES = ['text/csv', XLSX, 'application/octet-stream'] as const;

/** The body of a route that takes such a file. */
export const importBody = {
  required: true,
  content: {
    'text/csv': { schema: ImportFile },
    [XLSX]: { schema: ImportFile },
    'application/octet-stream': { schema: ImportFile },
  },
};

/**
 * Reads CSV or the first sheet of a workbook of at most `limits.rows` rows below the head; `noun` is
 * what they are, for people. With problems of the file itself, its rows are not worth a look.
 */
export async function importedTable(
  bytes: Uint8Array,
  noun: string,
  limits: { readonly rows: number; readonly columns: number },
) {
  const format = formatOf(bytes);
  const table = await readTable({ bytes, format, limits: { ...limits, rows: limits.rows + 1 } });
  const rowCount = Math.max(0, table.rows.length - 1);
  const contentSha256 = createHash('sha256').update(bytes).digest('hex');
  const broken =
    table.problems.length > 0 ? table.problems : sizeProblems(rowCount, limits.rows, noun);
  return { file: { format, contentSha256, rowCount }, rows: table.rows, broken };
}

function sizeProblems(count: number, most: number, noun: string): readonly ImportProblem[] {
  if (count === 0) return [problemOf(1, null, `The file has no ${noun}.`)];
  if (count <= most) return [];
  return [problemOf(most + 2, null, `A file has at most ${most} ${noun}.`)];
}
