// Running rentals survive a release: every recorded history replays with the code of today.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Resource } from '@opentelemetry/resources';
import { makeWorkflowExporter } from '@temporalio/interceptors-opentelemetry';
import { DefaultLogger, type ReplayWorkerOptions, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, expect, inject, test } from 'vitest';
import { dataConverter } from '../../temporal-config/connection.ts';
import { createPayloadCodec } from '../../temporal-config/payload-codec.ts';
import { bundleWorkflows } from '../../workers/bundle.ts';
import { historyFrom } from '../support/histories.ts';
import { SPANS_GO_NOWHERE, TEST_KEYS } from '../support/workflow-desk.ts';
import { CASES } from './damage-cases.ts';
import { DEPOSITS } from './deposits.ts';
import { DESK_SCENARIOS } from './desk-scenarios.ts';
import { ERASURES } from './erasures.ts';
import { FLEET_PROOFS } from './fleet-proofs.ts';
import { HELD_QUOTES } from './held-quotes.ts';
import { RECALLS } from './recalls.ts';
import { SCENARIOS } from './scenarios.ts';
import { TRANSFERS } from './transfers.ts';

const folder = new URL('./histories/', import.meta.url);
const histories = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => ({ file, text: readFileSync(new URL(file, folder), 'utf8') }));

/** One of each path whose steps no other has: each has to feel a change. */
const FEELING = [
  ...['rental-reserved', 'rental-closed', 'rental-exchanged', 'rental-swapped'],
  ...['rental-check-out-undone', 'rental-return-announced', 'rental-walked-up'],
  ...['rental-reinstated-last-run'],
  ...['rental-billed-in-cycles', 'rental-kept-while-prepaid', 'rental-secured-by-a-card'],
  ...['deposit-captured', 'deposit-asked-by-its-rental', 'deposit-asked-and-declined'],
  ...['erasure-at-once', 'erasure-kept-by-invoices', 'recall-grounded', 'quote-expired'],
  ...['transfer-arrived', 'damage-charged'],
];
const running = histories.filter(({ file }) => FEELING.includes(file.replace('.json', '')));

type Bundle = NonNullable<ReplayWorkerOptions['workflowBundle']>;
/** By file: what went wrong, or null. */
type Outcomes = ReadonlyMap<string, Error | null>;

let today: Outcomes;
let changed: Outcomes;

beforeAll(async () => {
  today = await replay(histories, { codePath: inject('workflowBundlePath') });
  const workflowsPath = fileURLToPath(new URL('./changed/index.ts', import.meta.url));
  const code = await bundleWorkflows({ workflowsPath, logger: new DefaultLogger('ERROR') });
  changed = await replay(running, { code });
});

/** All by one worker: to load the bundle takes longer than to replay most of them. */
async function replay(recorded: typeof histories, workflowBundle: Bundle): Promise<Outcomes> {
  const sinks = { exporter: makeWorkflowExporter(SPANS_GO_NOWHERE, Resource.empty()) };
  const options = { workflowBundle, dataConverter: dataConverter(TEST_KEYS), sinks };
  const inputs = recorded.map(({ file, text }) => ({
    workflowId: file,
    history: historyFrom(text),
  }));
  const outcomes = new Map<string, Error | null>();
  for await (const { workflowId, error } of Worker.runReplayHistories(options, inputs)) {
    outcomes.set(workflowId, error ?? null);
  }
  return outcomes;
}

test('every path through each of these workflows has a history', () => {
  expect(running).toHaveLength(FEELING.length);
  const recorded = histories.map(({ file }) => file);
  expect(recorded).toEqual(
    expect.arrayContaining(
      [...SCENARIOS, ...DESK_SCENARIOS].map(({ name }) => `rental-${name}.json`),
    ),
  );
  expect(recorded).toContain('rental-continued-last-run.json');
  expect(recorded).toEqual(
    expect.arrayContaining(HELD_QUOTES.map(({ name }) => `quote-${name}.json`)),
  );
  expect(recorded).toEqual(
    expect.arrayContaining(FLEET_PROOFS.map(({ name }) => `proof-${name}.json`)),
  );
  expect(recorded).toEqual(
    expect.arrayContaining(ERASURES.map(({ name }) => `erasure-${name}.json`)),
  );
  const deposits = DEPOSITS.map(({ name }) => `deposit-${name}.json`);
  expect(recorded).toEqual(expect.arrayContaining(deposits));
  expect(recorded).toEqual(expect.arrayContaining(CASES.map(({ name }) => `damage-${name}.json`)));
  expect(recorded).toEqual(
    expect.arrayContaining(RECALLS.map(({ name }) => `recall-${name}.json`)),
  );
  expect(recorded).toEqual(
    expect.arrayContaining(TRANSFERS.map(({ name }) => `transfer-${name}.json`)),
  );
});

test.each(histories)('$file replays', ({ file }) => {
  expect(today.get(file)).toBeNull();
});

test.each(running)('$file turns red when the workflow changes without a version', ({ file }) => {
  expect(changed.get(file)).toBeInstanceOf(DeterminismViolationError);
});

test.each(histories)('$file does not tell who recorded it, nor where', async ({ text }) => {
  const payloads = JSON.stringify(await Promise.all(sealed(JSON.parse(text)).map(open)));
  expect(payloads).toContain('{');
  for (const secret of ['node_modules', '.ts:', '.js:']) expect(payloads).not.toContain(secret);
  expect(text).not.toContain('@');
  expect(new Set(text.match(/"identity": "[^"]*"/g))).toEqual(new Set(['"identity": "test"']));
});

type Sealed = { readonly data: string; readonly metadata: Readonly<Record<string, string>> };

async function open({ data, metadata }: Sealed): Promise<string> {
  const bytes = Object.entries(metadata).map(([k, v]) => [k, Buffer.from(v, 'base64')] as const);
  const payload = { data: Buffer.from(data, 'base64'), metadata: Object.fromEntries(bytes) };
  const [opened] = await createPayloadCodec(TEST_KEYS).decode([payload]);
  return Buffer.from(opened?.data ?? []).toString('utf8');
}

/** All payloads in a history, wherever they are. */
function sealed(value: unknown): readonly Sealed[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('data' in value && 'metadata' in value) return [value as Sealed];
  return Object.values(value).flatMap(sealed);
}
