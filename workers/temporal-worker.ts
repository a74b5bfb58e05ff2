// The Temporal workers of one process: every task queue that has work, on one connection.
import { hostname } from 'node:os';
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryActivityOutboundInterceptor,
} from '@temporalio/interceptors-opentelemetry';
import {
  DefaultLogger,
  type LogEntry,
  type NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import type { Activities } from '../activities/index.ts';
import { dataConverter } from '../temporal-config/connection.ts';
import { TASK_QUEUES } from '../temporal-config/names.ts';
import type { PayloadKey } from '../temporal-config/payload-codec.ts';
import { beating } from './heartbeats.ts';
import type { Log } from './logging.ts';
import type { Telemetry } from './telemetry.ts';

/** As many as the pool has connections: more activities would only wait for one. */
const ACTIVITIES_AT_ONCE = 8;
/**
 * Workflows kept in memory between tasks. An evicted one is replayed at its next message, which
 * costs a history fetch; a cached one costs about a megabyte, tracing included.
 */
const CACHED_WORKFLOWS = 150;

export type WorkerSettings = {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly keys: readonly PayloadKey[];
  readonly bundle: { readonly code: string } | { readonly codePath: string };
  readonly activities: Activities;
  readonly telemetry: Pick<Telemetry, 'resource' | 'spanProcessor'>;
  readonly taskQueue?: string;
  /** Who did it, in histories; by default the process and its host. */
  readonly identity?: string;
  readonly maxCachedWorkflows?: number;
};

/**
 * A worker for the queue of rentals, the only one with workflows and activities so far. Another
 * domain gets a worker on its own queue here, with the same bundle, when it has work.
 */
export function createWorker(settings: WorkerSettings): Promise<Worker> {
  const { connection, namespace, activities, bundle, telemetry } = settings;
  const options: WorkerOptions = {
    connection,
    namespace,
    taskQueue: settings.taskQueue ?? TASK_QUEUES.rentals,
    identity: settings.identity ?? `forecourt-worker/${process.pid}@${hostname()}`,
    workflowBundle: bundle,
    activities,
    dataConverter: dataConverter(settings.keys),
    maxCachedWorkflows: settings.maxCachedWorkflows ?? CACHED_WORKFLOWS,
    maxConcurrentActivityTaskExecutions: ACTIVITIES_AT_ONCE,
    maxConcurrentLocalActivityExecutions: ACTIVITIES_AT_ONCE,
    shutdownGraceTime: '5 s',
    shutdownForceTime: '9 s',
    sinks: { exporter: makeWorkflowExporter(telemetry.spanProcessor, telemetry.resource) },
    interceptors: {
      activity: [
        beating,
        (context) => ({
          inbound: new OpenTelemetryActivityInboundInterceptor(context),
          outbound: new OpenTelemetryActivityOutboundInterceptor(context),
        }),
      ],
    },
  };
  return Worker.create(options);
}

/** Once per process, before anything of Temporal: the SDK's log lines become the product's. */
export function installRuntime(log: Log, metricsPort?: number): void {
  Runtime.install({
    logger: new DefaultLogger('INFO', (entry) => writeEntry(log, entry)),
    // The process stops its parts in its own order.
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } },
      ...(metricsPort === undefined
        ? {}
        : {
            metrics: {
              prometheus: {
                bindAddress: `127.0.0.1:${metricsPort}`,
                useSecondsForDurations: true,
              },
            },
          }),
    },
  });
}

const LEVELS = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
} as const;

function writeEntry(log: Log, { level, message, meta }: LogEntry): void {
  log[LEVELS[level]]({ ...meta }, message);
}
