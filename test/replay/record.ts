// Records the histories that replay checks. Run it for new paths; a history once shipped stays.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { writeBundle } from '../../workers/bundle.ts';
import { historyText } from '../support/histories.ts';
import { fakeRentals } from '../support/rental-fakes.ts';
import { runWorker, startTimeSkipping } from '../support/workflow-desk.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

const HISTORIES = fileURLToPath(new URL('./histories/', import.meta.url));
const HOUR = 3_600_000;

// Stack traces would carry the paths of the machine that records.
Error.stackTraceLimit = 0;

const server = process.env['TEMPORAL_TEST_SERVER'];
if (server === undefined) throw new Error('TEMPORAL_TEST_SERVER is not set.');
const chosen = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'forecourt-histories-'));
const bundle = join(folder, 'workflows.js');
await writeBundle(bundle);
const env = await startTimeSkipping(server);
try {
  for (const [index, scenario] of SCENARIOS.entries()) {
    if (chosen.length > 0 && !chosen.includes(scenario.name)) continue;
    await record(env, bundle, scenario, index);
  }
} finally {
  await env.teardown();
  await rm(folder, { recursive: true });
}

async function record(
  env: TestWorkflowEnvironment,
  codePath: string,
  scenario: Scenario,
  index: number,
): Promise<void> {
  const now = async () => Number(await env.currentTimeMs());
  const fakes = fakeRentals({ now, ...scenario.fakes });
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  await runWorker(place, codePath, fakes.activities, async (desk) => {
    const start = await now();
    const wanted = {
      id: `01990000-0000-7000-8000-0000000001${String(index).padStart(2, '0')}`,
      branchId: 'VIE',
      classId: 'CDMR',
      customerId: '01990000-0000-7000-8000-0000000000cc',
      pickUpAt: new Date(start + HOUR).toISOString(),
      dueAt: new Date(start + 25 * HOUR).toISOString(),
    };
    const asked = desk.reserve(wanted, scenario.maxHistoryLength);
    await (scenario.fakes?.refuseReserve === undefined ? asked : asked.catch(() => undefined));
    const rental = desk.rental(wanted.id);
    const firstRun = (await rental.describe()).runId;
    await scenario.story?.(rental, { wanted, sleep: (duration) => env.sleep(duration) });
    const lastRun = (await rental.describe()).runId;
    for (const runId of new Set([firstRun, lastRun])) {
      const run = desk.client.workflow.getHandle(rental.workflowId, runId);
      const name = runId === firstRun ? scenario.name : `${scenario.name}-last-run`;
      const text = historyText(await run.fetchHistory());
      await writeFile(join(HISTORIES, `rental-${name}.json`), anonymous(text));
      process.stdout.write(`rental-${name}.json\n`);
    }
  });
}

/** Who recorded it is nobody's business. */
function anonymous(text: string): string {
  // Sticky queues are named after the host too.
  return text
    .replaceAll(/("identity": )"[^"]*"/g, '$1"test"')
    .replaceAll(/"[^"]*@[^"]*"/g, '"test"');
}
