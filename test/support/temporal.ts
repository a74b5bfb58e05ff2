// Workflows under test: the servers and the bundle of this run.
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { inject } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import { type Desk, type Place, runWorker, startTimeSkipping } from './workflow-desk.ts';

export { type Desk, envelope } from './workflow-desk.ts';

/** The server that skips time, by `env.sleep`. One a file: its time is global. */
export function timeSkippingServer(): Promise<TestWorkflowEnvironment> {
  return startTimeSkipping(inject('servers').temporalTestServer);
}

/** Runs `story` while a worker with these activities serves a queue that nobody else has. */
export function withWorker(
  place: Place,
  activities: Partial<Activities>,
  story: (desk: Desk) => Promise<void>,
): Promise<void> {
  return runWorker(place, inject('workflowBundlePath'), activities, story);
}
