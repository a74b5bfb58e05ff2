// Sends commands to a rental's deposit: the workflow that holds it is started where none runs.
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import type { DepositState } from '../domain/payments/deposit.ts';
import { depositStartOptions } from '../temporal-config/starts.ts';
import type { deposit } from '../workflows/deposit.ts';
import type { Envelope } from '../workflows/rental.messages.ts';
import { hasEnded, waiting } from './commands.ts';
import type { ApiDeps } from './deps.ts';

/**
 * Throws the refusal of the workflow, or `service-unavailable` while the outcome is not known: a
 * repeat with the same id tells it, and charges nothing again.
 */
export async function sendDeposit<C>(
  deps: ApiDeps,
  rentalId: string,
  definition: UpdateDefinition<DepositState, [Envelope<C>]>,
  envelope: Envelope<C>,
): Promise<DepositState> {
  const send = () =>
    waiting(deps, () => {
      const start = new WithStartWorkflowOperation<typeof deposit>(
        'deposit',
        depositStartOptions(rentalId),
      );
      return deps.temporal.workflow.executeUpdateWithStart(definition, {
        args: [envelope],
        updateId: envelope.commandId,
        startWorkflowOperation: start,
      });
    });
  try {
    return await send();
  } catch (error) {
    // Nothing was held any more, and the workflow ended just then: the next one takes it.
    if (hasEnded(error)) return send();
    throw error;
  }
}
