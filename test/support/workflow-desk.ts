// Runs workflows as the product does, with its worker and client, on a queue of their own.
import { randomUUID } from 'node:crypto';
import { Resource } from '@opentelemetry/resources';
import type { Client, Connection } from '@temporalio/client';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, type NativeConnection, Runtime } from '@temporalio/worker';
import type { WorkerDeps } from '../../activities/deps.ts';
import { type Activities, createActivities } from '../../activities/index.ts';
import type { RentalRequest, RentalState } from '../../domain/rental.ts';
import { clientOn } from '../../temporal-config/connection.ts';
import { searchAttributes } from '../../temporal-config/names.ts';
import type { PayloadKey } from '../../temporal-config/payload-codec.ts';
import { rentalStartOptions } from '../../temporal-config/starts.ts';
import { createWorker } from '../../workers/temporal-worker.ts';
import { type Envelope, reserve } from '../../workflows/rental.messages.ts';
import type { rental } from '../../workflows/rental.ts';

/** Known to everyone: the committed histories are encrypted with it. */
export const TEST_KEYS: readonly PayloadKey[] = [
  { id: 'test', key: Buffer.from('a key for tests, and only those.') },
];

export const TEST_ACTOR = { kind: 'staff', id: 'test' } as const;

/** Workers come and go here all the time: that is no news. Once per process, as files are. */
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  shutdownSignals: [],
  telemetryOptions: { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } },
});

/** The server that skips time while a result is awaited. One a file: its time is global. */
export async function startTimeSkipping(path: string): Promise<TestWorkflowEnvironment> {
  const env = await patiently(() =>
    TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path } },
    }),
  );
  const types = { KEYWORD: 2, BOOL: 5, DATETIME: 6 } as const;
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(
      Object.values(searchAttributes).map((key) => [key.name, types[key.type as 'BOOL']]),
    ),
  });
  return env;
}

/** The SDK gives the server five seconds to start, which a busy machine may exceed. */
async function patiently<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt === 12) throw error;
    }
  }
}

export type Desk = {
  readonly client: Client;
  readonly taskQueue: string;
  readonly reserve: (request: RentalRequest, maxHistoryLength?: number) => Promise<RentalState>;
  readonly rental: (id: string) => ReturnType<typeof handleOf>;
};

export type Place = {
  readonly connection: Connection;
  readonly nativeConnection: NativeConnection;
  readonly namespace: string;
};

/** A worker on a queue that nobody else has; stories use it one after another. */
export type Stage = {
  readonly play: (
    activities: Partial<Activities>,
    story: (desk: Desk) => Promise<void>,
  ) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** To start a worker loads the whole bundle, so stories share one and bring their activities. */
export async function startStage(place: Place, codePath: string): Promise<Stage> {
  const taskQueue = `test-${randomUUID()}`;
  const client = clientOn(place.connection, { namespace: place.namespace, keys: TEST_KEYS });
  let effects: Partial<Activities> = {};
  const worker = await createWorker({
    connection: place.nativeConnection,
    namespace: place.namespace,
    keys: TEST_KEYS,
    bundle: { codePath },
    activities: performing(() => effects),
    telemetry: { resource: Resource.empty(), spanProcessor: SPANS_GO_NOWHERE },
    taskQueue,
    identity: 'test',
  });
  const running = worker.run();
  const desk: Desk = {
    client,
    taskQueue,
    reserve: (request, maxHistoryLength) =>
      startRental(client, taskQueue, request, maxHistoryLength),
    rental: (id) => handleOf(client, id),
  };
  return {
    play: async (activities, story) => {
      effects = activities;
      try {
        await story(desk);
      } finally {
        await endAllOpen(client);
      }
    },
    close: async () => {
      worker.shutdown();
      await running;
    },
  };
}

const ACTIVITIES = Object.keys(createActivities({} as WorkerDeps)) as (keyof Activities)[];

/** Every activity by its name; a story's workflows call only what the story has effects for. */
function performing(effects: () => Partial<Activities>): Activities {
  const perform =
    (name: keyof Activities) =>
    async (...given: readonly unknown[]) => {
      const effect = effects()[name] as ((...given: readonly unknown[]) => unknown) | undefined;
      if (effect === undefined) throw new Error(`This story has no effect for ${name}.`);
      return effect(...given);
    };
  const entries = ACTIVITIES.map((name) => [name, perform(name)]);
  return Object.fromEntries(entries) as Activities;
}

/** What stays open would hold the clock of the next story, and call the next one's effects. */
async function endAllOpen(client: Client): Promise<void> {
  const { namespace } = client.options;
  const { executions } = await client.workflowService.listOpenWorkflowExecutions({ namespace });
  const ids = executions.map(({ execution }) => execution?.workflowId ?? '');
  const end = (id: string) => client.workflow.getHandle(id).terminate();
  await Promise.all(ids.map((id) => end(id).catch(() => undefined)));
}

/** Runs one story with a worker of its own. */
export async function runWorker(
  place: Place,
  codePath: string,
  activities: Partial<Activities>,
  story: (desk: Desk) => Promise<void>,
): Promise<void> {
  const stage = await startStage(place, codePath);
  try {
    await stage.play(activities, story);
  } finally {
    await stage.close();
  }
}

function startRental(
  client: Client,
  taskQueue: string,
  request: RentalRequest,
  maxHistoryLength = 5_000,
): Promise<RentalState> {
  const start = new WithStartWorkflowOperation<typeof rental>(
    'rental',
    rentalStartOptions(request.id, { taskQueue, maxHistoryLength }),
  );
  return client.workflow.executeUpdateWithStart(reserve, {
    args: [envelope(request.id, request)],
    updateId: request.id,
    startWorkflowOperation: start,
  });
}

function handleOf(client: Client, id: string) {
  return client.workflow.getHandle<typeof rental>(`rental/${id}`);
}

export function envelope<C>(commandId: string, command: C): Envelope<C> {
  return { commandId, actor: TEST_ACTOR, command };
}

export const SPANS_GO_NOWHERE = {
  onStart: () => undefined,
  onEnd: () => undefined,
  forceFlush: async () => undefined,
  shutdown: async () => undefined,
};
