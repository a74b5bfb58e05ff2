// A CSV file as texts: UTF-8 with or without a mark, separated by commas, semicolons or tabs.
import { CsvError, parse } from 'csv-parse/sync';
import { problemOf } from '../../domain/vehicle-import.ts';
import type { Table } from './xlsx.ts';

const SEPARATORS = [',', ';', '\t'] as const;

/** `limits.rows` ends the reading: what lies beyond is one row too many, whatever it says. */
export function readCsv(bytes: Buffer, limits: { readonly rows: number }): Table {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { rows: [], problems: [problemOf(1, null, 'The file must be XLSX, or CSV in UTF-8.')] };
  }
  try {
    const rows = parse(text, {
      delimiter: separatorOf(text),
      relax_column_count: true,
      trim: true,
      to: limits.rows + 1,
    }) as string[][];
    return { rows, problems: [] };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { rows: [], problems: [problemOf(Number(error['lines'] ?? 1), null, error.message)] };
  }
}

/** The one that the head has most of. */
function separatorOf(text: string): string {
  const [head = ''] = text.split(/\r?\n/, 1);
  const count = (separator: string) => head.split(separator).length;
  return SEPARATORS.reduce((best, next) => (count(next) > count(best) ? next : best));
}
