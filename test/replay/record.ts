// Records the histories that replay checks. Run it for new paths; a history once shipped stays.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { writeBundle } from '../../workers/bundle.ts';
import { historyText } from '../support/histories.ts';
import { fakeRentals } from '../support/rental-fakes.ts';
import { runWorker, startTimeSkipping } from '../support/workflow-desk.ts';
import { CASES, type CaseStory, caseEffects, tellCase } from './damage-cases.ts';
import { DEPOSITS, type DepositStory, depositEffects, tellDeposit } from './deposits.ts';
import { DESK_SCENARIOS } from './desk-scenarios.ts';
import { ERASURES, type ErasureStory, tellErasure } from './erasures.ts';
import { FLEET_PROOFS, fakeProof, type ProofStory, tellProof } from './fleet-proofs.ts';
import { HELD_QUOTES, type QuoteStory, tellQuote } from './held-quotes.ts';
import { anonymous, HISTORIES, writeRuns } from './history-files.ts';
import { RECALLS, type RecallStory, tellRecall } from './recalls.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { TRANSFERS, type TransferStory, tellTransfer, transferEffects } from './transfers.ts';

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
  for (const [index, scenario] of [...SCENARIOS, ...DESK_SCENARIOS].entries()) {
    if (chosen.length > 0 && !chosen.includes(scenario.name)) continue;
    await record(env, bundle, scenario, index);
  }
  for (const [index, story] of ERASURES.entries()) {
    if (chosen.length > 0 && !chosen.includes(`erasure-${story.name}`)) continue;
    await recordErasure(env, bundle, story, index);
  }
  for (const [index, story] of RECALLS.entries()) {
    if (chosen.length > 0 && !chosen.includes(`recall-${story.name}`)) continue;
    await recordRecall(env, bundle, story, index);
  }
  for (const [index, story] of HELD_QUOTES.entries()) {
    if (chosen.length > 0 && !chosen.includes(`quote-${story.name}`)) continue;
    await recordQuote(env, bundle, story, index);
  }
  for (const [index, story] of TRANSFERS.entries()) {
    if (chosen.length > 0 && !chosen.includes(`transfer-${story.name}`)) continue;
    await recordTransfer(env, bundle, story, index);
  }
  for (const [index, story] of CASES.entries()) {
    if (chosen.length > 0 && !chosen.includes(`damage-${story.name}`)) continue;
    await recordCase(env, bundle, story, index);
  }
  for (const [index, story] of DEPOSITS.entries()) {
    if (chosen.length > 0 && !chosen.includes(`deposit-${story.name}`)) continue;
    await recordDeposit(env, bundle, story, index);
  }
  for (const [index, story] of FLEET_PROOFS.entries()) {
    if (chosen.length > 0 && !chosen.includes(`proof-${story.name}`)) continue;
    await recordProof(env, bundle, story, index);
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
  const pickUp = (await now()) + (scenario.pickUpHours ?? 1) * HOUR;
  const wanted = {
    ...scenario.taken,
    id: `01990000-0000-7000-8000-0000000001${String(index).padStart(2, '0')}`,
    branchId: 'VIE',
    classId: 'CDMR',
    customerId: '01990000-0000-7000-8000-0000000000cc',
    pickUpAt: new Date(pickUp).toISOString(),
    dueAt: new Date(pickUp + (scenario.days ?? 1) * 24 * HOUR).toISOString(),
  };
  const fakes = fakeRentals({ now, ...scenario.fakes, ...scenario.fakesFor?.(wanted) });
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  await runWorker(place, codePath, fakes.activities, async (desk) => {
    const asked = desk.reserve(wanted, scenario.maxHistoryLength);
    await (scenario.fakes?.refuseReserve === undefined ? asked : asked.catch(() => undefined));
    const rental = desk.rental(wanted.id);
    const firstRun = (await rental.describe()).runId;
    await scenario.story?.(rental, { desk, wanted, sleep: (duration) => env.sleep(duration) });
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

async function recordErasure(
  env: TestWorkflowEnvironment,
  codePath: string,
  story: ErasureStory,
  index: number,
): Promise<void> {
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  const told = {
    customerId: `01990000-0000-7000-8000-0000000002${String(index).padStart(2, '0')}`,
    now: Number(await env.currentTimeMs()),
  };
  await runWorker(place, codePath, story.effects(told), async (desk) => {
    const handle = await tellErasure(desk, story, told, (duration) => env.sleep(duration));
    const name = `erasure-${story.name}.json`;
    await writeFile(join(HISTORIES, name), anonymous(historyText(await handle.fetchHistory())));
    process.stdout.write(`${name}\n`);
  });
}

async function recordQuote(
  env: TestWorkflowEnvironment,
  codePath: string,
  story: QuoteStory,
  index: number,
): Promise<void> {
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  const told = {
    id: `01990000-0000-7000-8000-0000000004${String(index).padStart(2, '0')}`,
    now: Number(await env.currentTimeMs()),
  };
  await runWorker(place, codePath, story.effects(told), async (desk) => {
    const handle = await tellQuote(desk, story, told, (duration) => env.sleep(duration));
    const name = `quote-${story.name}.json`;
    await writeFile(join(HISTORIES, name), anonymous(historyText(await handle.fetchHistory())));
    process.stdout.write(`${name}\n`);
  });
}

async function recordTransfer(
  env: TestWorkflowEnvironment,
  codePath: string,
  story: TransferStory,
  index: number,
): Promise<void> {
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  const clock = async () => Number(await env.currentTimeMs());
  const told = {
    id: `01990000-0000-7000-8000-0000000005${String(index).padStart(2, '0')}`,
    now: await clock(),
  };
  await runWorker(place, codePath, transferEffects(story, told, clock), async (desk) => {
    const sleep = (duration: number | string) => env.sleep(duration);
    const { handle, firstRun } = await tellTransfer(desk, story, told, sleep);
    await writeRuns(desk, handle.workflowId, firstRun, `transfer-${story.name}`);
  });
}

async function recordCase(
  env: TestWorkflowEnvironment,
  codePath: string,
  story: CaseStory,
  index: number,
): Promise<void> {
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  const clock = async () => Number(await env.currentTimeMs());
  const told = {
    id: `01990000-0000-7000-8000-0000000006${String(index).padStart(2, '0')}`,
    now: await clock(),
  };
  await runWorker(place, codePath, caseEffects(story, told, clock), async (desk) => {
    const sleep = (duration: number | string) => env.sleep(duration);
    const { handle, firstRun } = await tellCase(desk, story, told, sleep);
    await writeRuns(desk, handle.workflowId, firstRun, `damage-${story.name}`);
  });
}

async function recordDeposit(
  env: TestWorkflowEnvironment,
  codePath: string,
  story: DepositStory,
  index: number,
): Promise<void> {
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  const rentalId = `01990000-0000-7000-8000-0000000007${String(index).padStart(2, '0')}`;
  const clock = async () => Number(await env.currentTimeMs());
  const { effects, endAtGateway } = depositEffects(story, rentalId, clock);
  await runWorker(place, codePath, effects, async (desk) => {
    const sleep = (duration: number | string) => env.sleep(duration);
    const told = { rentalId, endAtGateway };
    const { handle, firstRun } = await tellDeposit(desk, story, told, sleep);
    await writeRuns(desk, handle.workflowId, firstRun, `deposit-${story.name}`);
  });
}

async function recordRecall(
  env: TestWorkflowEnvironment,
  codePath: string,
  story: RecallStory,
  index: number,
): Promise<void> {
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  const told = {
    recallId: `01990000-0000-7000-8000-0000000003${String(index).padStart(2, '0')}`,
    now: Number(await env.currentTimeMs()),
  };
  await runWorker(place, codePath, story.effects(told), async (desk) => {
    const handle = await tellRecall(desk, story, told, (duration) => env.sleep(duration));
    const name = `recall-${story.name}.json`;
    await writeFile(join(HISTORIES, name), anonymous(historyText(await handle.fetchHistory())));
    process.stdout.write(`${name}\n`);
  });
}

async function recordProof(
  env: TestWorkflowEnvironment,
  codePath: string,
  story: ProofStory,
  index: number,
): Promise<void> {
  const { connection, nativeConnection } = env;
  const place = { connection, nativeConnection, namespace: 'default' };
  const id = `01990000-0000-7000-8000-0000000005${String(index).padStart(2, '0')}`;
  await runWorker(place, codePath, fakeProof(), async (desk) => {
    const { handle, firstRun } = await tellProof(desk, story, id);
    await writeRuns(desk, handle.workflowId, firstRun, `proof-${story.name}`);
  });
}
