// Plans transfers and sends them their commands, through their workflows.
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { transferById } from '../db/queries/transfers.ts';
import { DomainError } from '../domain/errors.ts';
import { isOver, type TransferPlan, type TransferState } from '../domain/transfer.ts';
import { transferWorkflowId } from '../temporal-config/names.ts';
import { transferStartOptions } from '../temporal-config/starts.ts';
import type { Envelope } from '../workflows/rental.messages.ts';
import { plan } from '../workflows/transfer.messages.ts';
import type { transfer } from '../workflows/transfer.ts';
import { hasEnded, waiting } from './commands.ts';
import type { ApiDeps } from './deps.ts';

/** Whoever commands has been shown to see the transfer. */
const READER = 'system:api';

/** Throws the refusal of the workflow, or `service-unavailable` while the outcome is not known. */
export function sendPlan(deps: ApiDeps, envelope: Envelope<TransferPlan>): Promise<TransferState> {
  return waiting(deps, () => {
    // One operation a call: it cannot be used twice.
    const start = new WithStartWorkflowOperation<typeof transfer>(
      'transfer',
      transferStartOptions(envelope.command.id),
    );
    return deps.temporal.workflow.executeUpdateWithStart(plan, {
      args: [envelope],
      updateId: envelope.commandId,
      startWorkflowOperation: start,
    });
  });
}

/** Throws `invalid-state` for a transfer that is over. */
export async function sendTransfer<C>(
  deps: ApiDeps,
  id: string,
  definition: UpdateDefinition<TransferState, [Envelope<C>]>,
  envelope: Envelope<C>,
): Promise<TransferState> {
  try {
    return await waiting(deps, () =>
      deps.temporal.workflow.getHandle(transferWorkflowId(id)).executeUpdate(definition, {
        args: [envelope],
        updateId: envelope.commandId,
      }),
    );
  } catch (error) {
    const state = hasEnded(error) ? await transferById(deps.db, READER, id) : undefined;
    if (state === undefined || !isOver(state)) throw error;
    throw new DomainError(
      'invalid-state',
      `A transfer that is ${state.status} does not allow ${definition.name}.`,
      { transferStatus: state.status, command: definition.name },
    );
  }
}
