// The worker process: gives activities what they need, runs workflows, stops in order.
import { NativeConnection } from '@temporalio/worker';
import { sql } from 'kysely';
import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import { createActivities } from '../activities/index.ts';
import { openDb, transact } from '../db/client.ts';
import { gatewayFrom } from '../payments/from-env.ts';
import { objectStoreFrom } from '../storage/object-store.ts';
import { openClient, temporalAnswers, temporalSettings } from '../temporal-config/connection.ts';
import { bundleApart } from './bundle.ts';
import { type Health, serveInternal } from './internal-server.ts';
import { createLogger } from './logging.ts';
import { openRentalWorkflows, openTransferWorkflows } from './rental-workflows.ts';
import { startTelemetry } from './telemetry.ts';
import { createWorker, installRuntime } from './temporal-worker.ts';

const log = createLogger('worker');
const telemetry = startTelemetry('worker');
const metricsPort = port('METRICS_PORT');
installRuntime(log, metricsPort);

const settings = temporalSettings();
const databaseUrl = process.env['DATABASE_URL'];
if (databaseUrl === undefined) throw new Error('DATABASE_URL is not set.');
const db = openDb(databaseUrl);
const metrics = new Registry();
collectDefaultMetrics({ register: metrics });
const repackExhausted = new Counter({
  name: 'forecourt_repack_exhausted_total',
  help: 'Bookings refused because the search for a repack ran out of its budget.',
  registers: [metrics],
});

const objects = await objectStoreFrom(process.env);
const bundlePath = process.env['WORKFLOW_BUNDLE'];
const bundle = bundlePath === undefined ? { code: await bundleApart() } : { codePath: bundlePath };
const client = openClient(settings);
const connection = await NativeConnection.connect({ address: settings.address });
const worker = await createWorker({
  ...settings,
  connection,
  bundle,
  activities: createActivities({
    db,
    rentals: openRentalWorkflows(client),
    transfers: openTransferWorkflows(client),
    gateway: gatewayFrom(process.env, db),
    removeFile: objects.remove,
    repackExhausted: () => repackExhausted.inc(),
  }),
  telemetry,
});
const internal = await serveInternal({
  port: port('INTERNAL_PORT') ?? 9465,
  ready,
  metrics: async () => (await metrics.metrics()) + (await temporalMetrics()),
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    log.info({ signal }, 'The worker stops.');
    if (worker.getState() === 'RUNNING') worker.shutdown();
  });
}

log.info({ address: settings.address, namespace: settings.namespace }, 'The worker is up.');
try {
  await worker.run();
} finally {
  // Activities have ended by now; only then may their connections go.
  await internal.close();
  await client.connection.close();
  await connection.close();
  await db.destroy();
  await telemetry.shutdown();
}

async function ready(): Promise<Record<string, Health>> {
  const [postgres, temporal] = await Promise.all([databaseAnswers(), temporalAnswers(client)]);
  const polling = worker.getState() === 'RUNNING';
  return { postgres: health(postgres), temporal: health(temporal), worker: health(polling) };
}

async function databaseAnswers(): Promise<boolean> {
  try {
    await transact(db, 'api_read', 'system:worker', (tx) => sql`select 1`.execute(tx));
    return true;
  } catch {
    return false;
  }
}

function health(up: boolean): Health {
  return up ? 'up' : 'down';
}

/** The SDK's own figures, which it serves on a port of its own. */
async function temporalMetrics(): Promise<string> {
  if (metricsPort === undefined) return '';
  const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`).catch(() => undefined);
  return answer?.ok ? answer.text() : '';
}

function port(name: string): number | undefined {
  const value = process.env[name];
  return value === undefined ? undefined : Number(value);
}
