// Runs workflows as the product does, with its worker and client, on a queue of their own.
import { randomUUID } from 'node:crypto';
import { Resource } from '@opentelemetry/resources';
import type { Client, Connection } from '@temporalio/client';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, type NativeConnection, Runtime } from '@temporalio/worker';
import type { Activities } from '../../activities/index.ts';
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

/** Runs `story` while a worker with these activities serves a queue that nobody else has. */
export async function runWorker(
  place: Place,
  codePath: string,
  activities: Partial<Activities>,
  story: (desk: Desk) => Promise<void>,
): Promise<void> {
  const taskQueue = `test-${randomUUID()}`;
  const client = clientOn(place.connection, { namespace: place.namespace, keys: TEST_KEYS });
  const worker = await createWorker({
    connection: place.nativeConnection,
    namespace: place.namespace,
    keys: TEST_KEYS,
    bundle: { codePath },
    // A test's workflows call only what the test has effects for.
    activities: activities as Activities,
    telemetry: { resource: Resource.empty(), spanProcessor: SPANS_GO_NOWHERE },
    taskQueue,
    identity: 'test',
  });
  const started: string[] = [];
  const desk: Desk = {
    client,
    taskQueue,
    reserve: (request, maxHistoryLength) => {
      started.push(request.id);
      return startRental(client, taskQueue, request, maxHistoryLength);
    },
    rental: (id) => handleOf(client, id),
  };
  await worker.runUntil(async () => {
    try {
      await story(desk);
    } finally {
      // What stays open would hold the clock of the next test.
      await Promise.all(
        started.map((id) =>
          handleOf(client, id)
            .terminate()
            .catch(() => undefined),
        ),
      );
    }
  });
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
