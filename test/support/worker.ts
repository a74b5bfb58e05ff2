// The product's worker within the test's own process: to start one of its own takes a core for seconds.
import { Resource } from '@opentelemetry/resources';
import { NativeConnection } from '@temporalio/worker';
import { inject } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import { openDb } from '../../db/client.ts';
import { gatewayFrom } from '../../payments/from-env.ts';
import { objectStoreFrom } from '../../storage/object-store.ts';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { openRentalWorkflows, openTransferWorkflows } from '../../workers/rental-workflows.ts';
import { createWorker } from '../../workers/temporal-worker.ts';
import { whenDone } from './endings.ts';
import type { System } from './system.ts';
import { SPANS_GO_NOWHERE } from './workflow-desk.ts';

/** Serves the system's queue until the file's tests are done. */
export async function workHere(system: System): Promise<void> {
  const settings = temporalSettings(system.env);
  const db = openDb(system.url);
  whenDone(() => db.destroy());
  const client = openClient(settings);
  whenDone(() => client.connection.close());
  const connection = await NativeConnection.connect({ address: settings.address });
  whenDone(() => connection.close());
  const objects = await objectStoreFrom(system.env);
  const worker = await createWorker({
    ...settings,
    connection,
    bundle: { codePath: inject('workflowBundlePath') },
    activities: createActivities({
      db,
      rentals: openRentalWorkflows(client),
      transfers: openTransferWorkflows(client),
      gateway: gatewayFrom(system.env, db),
      removeFile: objects.remove,
      repackExhausted: () => undefined,
    }),
    telemetry: { resource: Resource.empty(), spanProcessor: SPANS_GO_NOWHERE },
  });
  const running = worker.run();
  whenDone(async () => {
    worker.shutdown();
    await running;
  });
}
