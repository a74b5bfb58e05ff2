// What the workflow server knows of rentals: which run, what they show, and what they say themselves.
import {
  type Client,
  isGrpcServiceError,
  QueryNotRegisteredError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { RentalWorkflows, Shown } from '../activities/deps.ts';
import type { WorkflowSide } from '../domain/reconciliation.ts';
import type { RentalState } from '../domain/rental.ts';
import { rentalWorkflowId, searchAttributes } from '../temporal-config/names.ts';

const RUNNING = `WorkflowType = 'rental' AND ExecutionStatus = 'Running'`;
const LISTED_AT_ONCE = 500;
const FAILED_PRECONDITION = 9;
const INVALID_ARGUMENT = 3;

/** What the nightly proof asks, and tells, the workflows of rentals. */
export function openRentalWorkflows(temporal: Client): RentalWorkflows {
  return {
    runningAmong: (ids) => runningAmong(temporal, ids),
    listRunning: (cursor) => listRunning(temporal, cursor),
    sideOf: (id) => sideOf(temporal, id),
    attend: (id, reason) => attend(temporal, id, reason),
  };
}

async function runningAmong(
  temporal: Client,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Shown>> {
  const found = new Map<string, Shown>();
  if (ids.length === 0) return found;
  const among = ids.map((id) => `'${rentalWorkflowId(id)}'`).join(', ');
  const query = `${RUNNING} AND WorkflowId IN (${among})`;
  for await (const { workflowId, typedSearchAttributes } of temporal.workflow.list({ query })) {
    found.set(rentalIdOf(workflowId), {
      status: typedSearchAttributes.get(searchAttributes.rentalStatus) ?? null,
      vehicleId: typedSearchAttributes.get(searchAttributes.vehicleId) ?? null,
    });
  }
  return found;
}

async function listRunning(
  temporal: Client,
  cursor: string | null,
): Promise<{ readonly ids: readonly string[]; readonly next: string | null }> {
  const { executions, nextPageToken } = await temporal.workflowService.listWorkflowExecutions({
    namespace: temporal.options.namespace,
    query: RUNNING,
    pageSize: LISTED_AT_ONCE,
    nextPageToken: cursor === null ? new Uint8Array() : Buffer.from(cursor, 'base64'),
  });
  const ids = executions.map(({ execution }) => rentalIdOf(execution?.workflowId ?? ''));
  const isLast = nextPageToken.length === 0;
  return { ids, next: isLast ? null : Buffer.from(nextPageToken).toString('base64') };
}

async function sideOf(temporal: Client, id: string): Promise<WorkflowSide | null> {
  const handle = temporal.workflow.getHandle(rentalWorkflowId(id));
  try {
    if ((await handle.describe()).status.name !== 'RUNNING') return null;
    const now = await handle.query<RentalState | null>('state');
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
async function attend(temporal: Client, id: string, reason: string | null): Promise<void> {
  try {
    const handle = temporal.workflow.getHandle(rentalWorkflowId(id));
    await handle.signal<[{ readonly reason: string | null }]>('attentionNeeded', { reason });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

function rentalIdOf(workflowId: string): string {
  return workflowId.slice(rentalWorkflowId('').length);
}
