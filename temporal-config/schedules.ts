// What runs by the calendar: every schedule of the namespace, created or updated by setup.ts.
import type { ScheduleOptions } from '@temporalio/client';
import { FLEET_PROOF, TASK_QUEUES } from './names.ts';

/** Each states its `catchupWindow`: the server's default is a year. */
export const SCHEDULES: readonly ScheduleOptions[] = [
  {
    scheduleId: FLEET_PROOF,
    // In UTC: no night has two of 02:30, nor none.
    spec: { calendars: [{ hour: 2, minute: 30, comment: 'when counters are closed' }] },
    action: {
      type: 'startWorkflow',
      workflowType: 'fleetProof',
      workflowId: FLEET_PROOF,
      taskQueue: TASK_QUEUES.rentals,
      // No input: this client does not encrypt.
      args: [],
    },
    policies: { overlap: 'SKIP', catchupWindow: '6 hours' },
  },
];
