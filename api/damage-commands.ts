// Opens damage cases and sends them their commands, through their workflows.
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { caseById } from '../db/queries/damage-cases.ts';
import { type CaseReport, type CaseState, isOver } from '../domain/damage-case.ts';
import { DomainError } from '../domain/errors.ts';
import { damageCaseWorkflowId } from '../temporal-config/names.ts';
import { damageCaseStartOptions } from '../temporal-config/starts.ts';
import { report } from '../workflows/damage-case.messages.ts';
import type { damageCase } from '../workflows/damage-case.ts';
import type { Envelope } from '../workflows/rental.messages.ts';
import { hasEnded, waiting } from './commands.ts';
import type { ApiDeps } from './deps.ts';

/** Whoever commands has been shown to see the case. */
const READER = 'system:api';

/** Throws the refusal of the workflow, or `service-unavailable` while the outcome is not known. */
export function sendReport(deps: ApiDeps, envelope: Envelope<CaseReport>): Promise<CaseState> {
  return waiting(deps, () => {
    // One operation a call: it cannot be used twice.
    const start = new WithStartWorkflowOperation<typeof damageCase>(
      'damageCase',
      damageCaseStartOptions(envelope.command.id),
    );
    return deps.temporal.workflow.executeUpdateWithStart(report, {
      args: [envelope],
      updateId: envelope.commandId,
      startWorkflowOperation: start,
    });
  });
}

/** Throws `invalid-state` for a case that is settled. */
export async function sendDamage<C>(
  deps: ApiDeps,
  id: string,
  definition: UpdateDefinition<CaseState, [Envelope<C>]>,
  envelope: Envelope<C>,
): Promise<CaseState> {
  try {
    return await waiting(deps, () =>
      deps.temporal.workflow.getHandle(damageCaseWorkflowId(id)).executeUpdate(definition, {
        args: [envelope],
        updateId: envelope.commandId,
      }),
    );
  } catch (error) {
    const state = hasEnded(error) ? await caseById(deps.db, READER, id) : undefined;
    if (state === undefined || !isOver(state)) throw error;
    throw new DomainError(
      'invalid-state',
      `A damage case that is ${state.status} does not allow ${definition.name}.`,
      { caseStatus: state.status, command: definition.name },
    );
  }
}
