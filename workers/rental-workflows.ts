// What the workflow server knows of rentals and transfers, for the nightly proof.
import type { Client } from '@temporalio/client';
import type { RentalWorkflows, Shown, WatchedWorkflows } from '../activities/deps.ts';
import {
  rentalWorkflowId,
  searchAttributes,
  transferWorkflowId,
} from '../temporal-config/names.ts';
import { idIn, type Kind, runningOf, watchWorkflows } from './watched-workflows.ts';

const RENTAL: Kind = { type: 'rental', workflowId: rentalWorkflowId, stateQuery: 'state' };
const TRANSFER: Kind = {
  type: 'transfer',
  workflowId: transferWorkflowId,
  stateQuery: 'transferState',
};

export function openRentalWorkflows(temporal: Client): RentalWorkflows {
  return {
    ...watchWorkflows(temporal, RENTAL),
    runningAmong: (ids) => runningAmong(temporal, ids),
  };
}

export function openTransferWorkflows(temporal: Client): WatchedWorkflows {
  return watchWorkflows(temporal, TRANSFER);
}

async function runningAmong(
  temporal: Client,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Shown>> {
  const found = new Map<string, Shown>();
  if (ids.length === 0) return found;
  const among = ids.map((id) => `'${rentalWorkflowId(id)}'`).join(', ');
  const query = `${runningOf(RENTAL)} AND WorkflowId IN (${among})`;
  for await (const { workflowId, typedSearchAttributes } of temporal.workflow.list({ query })) {
    found.set(idIn(RENTAL, workflowId), {
      status: typedSearchAttributes.get(searchAttributes.rentalStatus) ?? null,
      vehicleId: typedSearchAttributes.get(searchAttributes.vehicleId) ?? null,
    });
  }
  return found;
}
