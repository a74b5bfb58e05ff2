// The first sheet of an XLSX workbook as texts. Formulas are refused: their value is anyone's guess.
import { readSheet } from 'read-excel-file/web-worker';
import { type ImportProblem, problemOf } from '../../domain/vehicle-import.ts';
import { unzip } from './zip.ts';

export type Table = {
  readonly rows: readonly (readonly string[])[];
  readonly problems: readonly ImportProblem[];
};

const SHEET = /^xl\/worksheets\/[^/]+\.xml$/;
/** A cell with its address, and whether a formula comes first in it. */
const CELL = /<(?:\w+:)?c\b([^>]*?)(?:\/>|>(\s*<(?:\w+:)?f[\s/>])?)/g;
const ADDRESS = /\br="([A-Z]{1,3})([0-9]{1,7})"/;

/** `limits` keep a cell far out from making a table of millions of empty ones. */
export async function readXlsx(
  bytes: Buffer,
  limits: { readonly rows: number; readonly columns: number },
): Promise<Table> {
  const problems: ImportProblem[] = [];
  for (const [name, content] of unzip(bytes)) {
    const text = content.toString('utf8');
    if (text.includes('<!DOCTYPE')) {
      return { rows: [], problems: [problemOf(1, null, 'The workbook declares its own XML.')] };
    }
    if (SHEET.test(name)) problems.push(...cellProblems(text, limits));
    if (problems.length > 0) return { rows: [], problems };
  }
  const sheet = new Uint8Array(bytes).buffer;
  const rows = (await readSheet(sheet)) as readonly (readonly unknown[])[];
  return { rows: rows.map((row) => row.map(asText)), problems };
}

function cellProblems(
  xml: string,
  limits: { readonly rows: number; readonly columns: number },
): readonly ImportProblem[] {
  const problems: ImportProblem[] = [];
  for (const [, attributes = '', formula] of xml.matchAll(CELL)) {
    const [, letters = '', digits = '1'] = ADDRESS.exec(attributes) ?? [];
    const row = Number(digits);
    if (formula !== undefined) problems.push(problemOf(row, letters, 'is a formula'));
    if (row > limits.rows || columnOf(letters) > limits.columns) {
      problems.push(problemOf(row, letters, 'lies outside the table'));
    }
    if (problems.length >= 100) break;
  }
  return problems;
}

function columnOf(letters: string): number {
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0);
}

/** Dates of a spreadsheet have no zone: midnight is a date, anything else an instant in UTC. */
function asText(value: unknown): string {
  if (value instanceof Date) {
    const iso = value.toISOString();
    return iso.endsWith('T00:00:00.000Z') ? iso.slice(0, 10) : iso;
  }
  return value === null || value === undefined ? '' : String(value);
}
