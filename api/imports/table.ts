// An uploaded file as a table of texts: by what it contains, not by what it calls itself.
import { Worker } from 'node:worker_threads';
import { problemOf } from '../../domain/vehicle-import.ts';
import type { TableTask } from './table-thread.ts';
import type { Table } from './xlsx.ts';

export type TableFormat = TableTask['format'];

const LIMIT_MS = 20_000;
const MAX_MEMORY_MB = 512;
/** Every zip archive, and so every XLSX, begins with it. */
const ZIP = Buffer.from('PK\u0003\u0004');

export function formatOf(bytes: Uint8Array): TableFormat {
  return ZIP.equals(bytes.subarray(0, ZIP.length)) ? 'xlsx' : 'csv';
}

/** Never rejects for a file's sake: one that is too much for the thread is a problem of its own. */
export function readTable(task: TableTask): Promise<Table> {
  const thread = new Worker(new URL('./table-thread.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: MAX_MEMORY_MB },
  });
  return new Promise<Table>((resolve) => {
    const refuse = () =>
      resolve({ rows: [], problems: [problemOf(1, null, 'The file is too much to read.')] });
    const late = setTimeout(refuse, LIMIT_MS);
    thread.once('message', resolve);
    thread.once('error', refuse);
    thread.once('exit', () => {
      clearTimeout(late);
      refuse();
    });
  }).finally(() => void thread.terminate());
}
