// What the workflow server knows of the workflows of one kind: which run, and what they say.
import {
  type Client,
  isGrpcServiceError,
  QueryNotRegisteredError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { WatchedWorkflows } from '../activities/deps.ts';
import type { WorkflowSide } from '../domain/reconciliation.ts';

const LISTED_AT_ONCE = 500;
const FAILED_PRECONDITION = 9;
const INVALID_ARGUMENT = 3;

export type Kind = {
  readonly type: string;
  /** The workflow's id by the id of what it models, which comes last in it. */
  readonly workflowId: (id: string) => string;
  /** The query that answers its state, or null before it has one. */
  readonly stateQuery: string;
};

/** What the nightly proof asks, and tells, the workflows of a kind. */
export function watchWorkflows(temporal: Client, kind: Kind): WatchedWorkflows {
  return {
    listRunning: (cursor) => listRunning(temporal, kind, cursor),
    sideOf: (id) => sideOf(temporal, kind, id),
    attend: (id, reason) => attend(temporal, kind, id, reason),
  };
}

export function runningOf({ type }: Kind): string {
  return `WorkflowType = '${type}' AND ExecutionStatus = 'Running'`;
}

export function idIn({ workflowId }: Kind, whole: string): string {
  return whole.slice(workflowId('').length);
}

async function listRunning(
  temporal: Client,
  kind: Kind,
  cursor: string | null,
): Promise<{ readonly ids: readonly string[]; readonly next: string | null }> {
  const { executions, nextPageToken } = await temporal.workflowService.listWorkflowExecutions({
    namespace: temporal.options.namespace,
    query: runningOf(kind),
    pageSize: LISTED_AT_ONCE,
    nextPageToken: cursor === null ? new Uint8Array() : Buffer.from(cursor, 'base64'),
  });
  const ids = executions.map(({ execution }) => idIn(kind, execution?.workflowId ?? ''));
  const isLast = nextPageToken.length === 0;
  return { ids, next: isLast ? null : Buffer.from(nextPageToken).toString('base64') };
}

async function sideOf(temporal: Client, kind: Kind, id: string): Promise<WorkflowSide | null> {
  const handle = temporal.workflow.getHandle(kind.workflowId(id));
  try {
    if ((await handle.describe()).status.name !== 'RUNNING') return null;
    const now = await handle.query<WorkflowSide | null>(kind.stateQuery);
    if (now === null) return { status: 'requested', version: 0, vehicleId: null };
    return { status: now.status, version: now.version, vehicleId: now.vehicleId };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    // A worker answered that it cannot; where none answers, the whole page is tried again.
    if (isUnreadable(error)) return { status: 'unreadable', version: 0, vehicleId: null };
    throw error;
  }
}

function isUnreadable(error: unknown): boolean {
  if (error instanceof QueryNotRegisteredError) return true;
  return (
    isGrpcServiceError(error) &&
    (error.code === INVALID_ARGUMENT || error.code === FAILED_PRECONDITION)
  );
}

/** One that has ended needs it not. */
async function attend(
  temporal: Client,
  kind: Kind,
  id: string,
  reason: string | null,
): Promise<void> {
  try {
    const handle = temporal.workflow.getHandle(kind.workflowId(id));
    await handle.signal<[{ readonly reason: string | null }]>('attentionNeeded', { reason });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
