// The least that a durable confirmation can be: one update, one empty activity, left open.
import { proxyActivities, setHandler, sleep } from '@temporalio/workflow';
import { touch } from './floor.messages.ts';
import type { FloorActivities } from './floor-worker.ts';

const activities = proxyActivities<FloorActivities>({ startToCloseTimeout: '10 s' });

export async function floor(): Promise<void> {
  setHandler(touch, () => activities.nothing());
  await sleep('30 days');
}
