// What runs by the calendar: every schedule of the namespace, created or updated by setup.ts.
import type { ScheduleOptions } from '@temporalio/client';

/** None yet. Each states its `catchupWindow`: the server's default is a year. */
export const SCHEDULES: readonly ScheduleOptions[] = [];
