// Workflows under test: the servers and the bundle of this run.
import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { NativeConnection } from '@temporalio/worker';
import { inject } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import { setUpTemporal } from '../../temporal-config/setup.ts';
import { whenDone } from './endings.ts';
import {
  type Desk,
  type Place,
  type Stage,
  startStage,
  startTimeSkipping,
} from './workflow-desk.ts';

export { type Desk, envelope } from './workflow-desk.ts';

const stages = new WeakMap<NativeConnection, Stage>();

/** The server that skips time, by `env.sleep`. One a file: its time is global. */
export async function timeSkippingServer(): Promise<TestWorkflowEnvironment> {
  const env = await startTimeSkipping(inject('servers').temporalTestServer);
  whenDone(() => env.teardown());
  return env;
}

/** A namespace of its own on the real server. Call it in `beforeAll`. */
export async function realServer(name: string): Promise<Place> {
  const address = inject('servers').temporalAddress;
  const namespace = `${name}-${randomBytes(4).toString('hex')}`;
  await setUpTemporal(address, namespace);
  const connection = await Connection.connect({ address });
  whenDone(() => connection.close());
  const nativeConnection = await NativeConnection.connect({ address });
  whenDone(() => nativeConnection.close());
  return { connection, nativeConnection, namespace };
}

/** Runs `story` with these activities; the stories at one place share a worker. */
export async function withWorker(
  place: Place,
  activities: Partial<Activities>,
  story: (desk: Desk) => Promise<void>,
): Promise<void> {
  let stage = stages.get(place.nativeConnection);
  if (stage === undefined) {
    stage = await startStage(place, inject('workflowBundlePath'));
    stages.set(place.nativeConnection, stage);
    whenDone(stage.close);
  }
  await stage.play(activities, story);
}
