// The thread that reads an uploaded table, so that neither its time nor its memory is the API's.
import { parentPort, workerData } from 'node:worker_threads';
import { problemOf } from '../../domain/vehicle-import.ts';
import { readCsv } from './csv.ts';
import { readXlsx, type Table } from './xlsx.ts';
import { ZipRefused } from './zip.ts';

export type TableTask = {
  readonly bytes: Uint8Array;
  readonly format: 'csv' | 'xlsx';
  readonly limits: { readonly rows: number; readonly columns: number };
};

async function read({ bytes, format, limits }: TableTask): Promise<Table> {
  const buffer = Buffer.from(bytes);
  try {
    return format === 'csv' ? readCsv(buffer, limits) : await readXlsx(buffer, limits);
  } catch (error) {
    // Whatever the readers choke on is the file's fault; the caller has checked nothing else.
    const problem = error instanceof ZipRefused ? error.message : 'The workbook cannot be read.';
    return { rows: [], problems: [problemOf(1, null, problem)] };
  }
}

parentPort?.postMessage(await read(workerData as TableTask));
