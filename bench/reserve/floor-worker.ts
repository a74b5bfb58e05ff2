// The floor's worker process: the product's worker with an empty activity instead of its own.
import { fileURLToPath } from 'node:url';
import { NativeConnection } from '@temporalio/worker';
import type { Activities } from '../../activities/index.ts';
import { temporalSettings } from '../../temporal-config/connection.ts';
import { bundleWorkflows } from '../../workers/bundle.ts';
import { serveInternal } from '../../workers/internal-server.ts';
import { untilStopped } from '../../workers/lifetime.ts';
import { createLogger } from '../../workers/logging.ts';
import { startTelemetry } from '../../workers/telemetry.ts';
import { createWorker, installRuntime } from '../../workers/temporal-worker.ts';
import { FLOOR_QUEUE } from './floor.names.ts';

const activities = { nothing: async (): Promise<void> => undefined };
export type FloorActivities = typeof activities;

if (import.meta.main) {
  const telemetry = startTelemetry('bench-floor-worker');
  installRuntime(createLogger('bench-floor-worker'));
  const settings = temporalSettings();
  const workflowsPath = fileURLToPath(new URL('./floor-workflow.ts', import.meta.url));
  const connection = await NativeConnection.connect({ address: settings.address });
  const worker = await createWorker({
    ...settings,
    connection,
    telemetry,
    taskQueue: FLOOR_QUEUE,
    bundle: { code: await bundleWorkflows({ workflowsPath }) },
    activities: activities as unknown as Activities,
  });
  const internal = await serveInternal({
    port: Number(process.env['INTERNAL_PORT']),
    ready: async () => ({ worker: worker.getState() === 'RUNNING' ? 'up' : 'down' }),
    metrics: async () => '',
  });
  void untilStopped().then(() => worker.shutdown());
  await worker.run();
  await internal.close();
  await connection.close();
  await telemetry.shutdown();
}
