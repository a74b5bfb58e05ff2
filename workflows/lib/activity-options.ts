// How long activities may take and how they are retried: one profile a kind of work.
import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';

/**
 * One transaction. Retried for ever, because it is harmless to repeat (keyed by the command) and
 * a database comes back; refusals are non-retryable where they are thrown.
 */
export const dbWrite = {
  startToCloseTimeout: '10 s',
  retry: { initialInterval: '100 ms', backoffCoefficient: 2, maximumInterval: '5 s' },
} as const satisfies ActivityOptions;

/**
 * The same, run by the worker that has the workflow task: the answer needs no second task. Only
 * for what ends in milliseconds; a longer wait for a retry becomes a timer of the workflow.
 */
export const dbWriteAtOnce = {
  startToCloseTimeout: '5 s',
  localRetryThreshold: '2 s',
  retry: { initialInterval: '50 ms', backoffCoefficient: 2, maximumInterval: '5 s' },
} as const satisfies LocalActivityOptions;

/**
 * Work on many rows, or letters. Repeated for ever too: what was done is noted row by row, so that
 * one that was cut short goes on where it was.
 */
export const manyRows = {
  startToCloseTimeout: '5 min',
  retry: { initialInterval: '1 s', backoffCoefficient: 2, maximumInterval: '10 min' },
} as const satisfies ActivityOptions;

/**
 * A question to a payment gateway. Repeated until it is answered: what was ordered is known by its
 * key, so that asking again never charges again. It beats each second: the worker that dies in the
 * middle is replaced long before a gateway's own time is over.
 */
export const gatewayCall = {
  startToCloseTimeout: '40 s',
  heartbeatTimeout: '5 s',
  retry: { initialInterval: '1 s', backoffCoefficient: 2, maximumInterval: '5 min' },
} as const satisfies ActivityOptions;
