// Tells the server that a long call goes on, so that another worker takes over soon when this one dies.
import type { ActivityInterceptorsFactory } from '@temporalio/worker';

/** Well within every `heartbeatTimeout` of workflows/lib/activity-options.ts. */
const BEAT_MS = 1_000;

/** For activities that the workflow expects to hear of; the others end within seconds. */
export const beating: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    execute: async (input, next) => {
      if (context.info.heartbeatTimeoutMs === undefined) return next(input);
      const beat = setInterval(() => context.heartbeat(), BEAT_MS);
      try {
        return await next(input);
      } finally {
        clearInterval(beat);
      }
    },
  },
});
