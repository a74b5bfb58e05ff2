// Histories as replay's test reads them: a file for each run, without a word about who recorded it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyText } from '../support/histories.ts';
import type { Desk } from '../support/workflow-desk.ts';

export const HISTORIES = fileURLToPath(new URL('./histories/', import.meta.url));

/** The first run, and the last one where it went on in others. */
export async function writeRuns(
  { client }: Desk,
  workflowId: string,
  firstRun: string,
  name: string,
): Promise<void> {
  const { runId: lastRun } = await client.workflow.getHandle(workflowId).describe();
  for (const runId of new Set([firstRun, lastRun])) {
    const file = `${name}${runId === firstRun ? '' : '-last-run'}.json`;
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    await writeFile(join(HISTORIES, file), anonymous(historyText(history)));
    process.stdout.write(`${file}\n`);
  }
}

/** Who recorded it is nobody's business. */
export function anonymous(text: string): string {
  // Sticky queues are named after the host too.
  return text
    .replaceAll(/("identity": )"[^"]*"/g, '$1"test"')
    .replaceAll(/"[^"]*@[^"]*"/g, '"test"');
}
