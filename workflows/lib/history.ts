// When a workflow that lives for long goes on in a new run: a replay must stay short.
import { workflowInfo } from '@temporalio/workflow';

/** Far below the server's limit of 51,200. */
const MAX_HISTORY_LENGTH = 5_000;

/** `maxHistoryLength` is for tests. */
export function isLong({
  maxHistoryLength = MAX_HISTORY_LENGTH,
}: {
  readonly maxHistoryLength?: number;
}): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength >= maxHistoryLength;
}
