// The floor's HTTP server: the product's kind of server and client, one bare route.
import { createAdaptorServer } from '@hono/node-server';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { Hono } from 'hono';
import { v7 as uuidv7 } from 'uuid';
import { openClient, temporalAnswers, temporalSettings } from '../../temporal-config/connection.ts';
import { untilStopped } from '../../workers/lifetime.ts';
import { startTelemetry } from '../../workers/telemetry.ts';
import { touch } from './floor.messages.ts';
import { FLOOR_QUEUE } from './floor.names.ts';
import type { floor } from './floor-workflow.ts';

const telemetry = startTelemetry('bench-floor-server');
const client = openClient(temporalSettings());

const app = new Hono()
  .get('/health/ready', async (c) => c.body(null, (await temporalAnswers(client)) ? 200 : 503))
  .post('/', async (c) => {
    const id = uuidv7();
    await client.workflow.executeUpdateWithStart(touch, {
      updateId: id,
      startWorkflowOperation: new WithStartWorkflowOperation<typeof floor>('floor', {
        workflowId: `floor/${id}`,
        taskQueue: FLOOR_QUEUE,
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
    });
    return c.json({ id }, 201);
  });

const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false });
server.listen(Number(process.env['PORT']), '127.0.0.1');
await untilStopped();
server.close();
await client.connection.close();
await telemetry.shutdown();
