// Sends commands to their workflows and waits for the answer, but never for ever.
import { setTimeout as delay } from 'node:timers/promises';
import { WithStartWorkflowOperation, WorkflowNotFoundError } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { amendRecall } from '../db/commands/recall-changes.ts';
import { rentalById } from '../db/queries/rentals.ts';
import { principalOf } from '../domain/actor.ts';
import type { ErasureState } from '../domain/erasure.ts';
import { DomainError } from '../domain/errors.ts';
import type { RecallState } from '../domain/recall.ts';
import { isFinal, type RentalRequest, type RentalState } from '../domain/rental.ts';
import { withDeadline } from '../temporal-config/connection.ts';
import { recallWorkflowId, rentalWorkflowId } from '../temporal-config/names.ts';
import {
  erasureStartOptions,
  recallStartOptions,
  rentalResumeOptions,
  rentalStartOptions,
} from '../temporal-config/starts.ts';
import { type BeginErasure, begin } from '../workflows/erasure.messages.ts';
import type { erasure } from '../workflows/erasure.ts';
import {
  type AmendRecall,
  amend,
  type OpenRecall,
  open as openRecall,
} from '../workflows/recall.messages.ts';
import type { recall } from '../workflows/recall.ts';
import { type Envelope, reinstate, reserve } from '../workflows/rental.messages.ts';
import type { rental } from '../workflows/rental.ts';
import type { ApiDeps } from './deps.ts';
import { refusalOf } from './errors.ts';
import { unlessDown } from './outage.ts';

/** Whoever commands has been shown to see the rental; this explains what became of it. */
const READER = 'system:api';
/** Well below the age at which an idempotency lock is taken over (30 s). */
const COMMAND_TIMEOUT_MS = 20_000;
/** As long as the end of a run takes to be known. */
const REINSTATE_TRIES = 20;
const REINSTATE_PAUSE_MS = 100;

/**
 * Starts a rental and reserves in one round trip. Throws the refusal of the workflow, or
 * `service-unavailable` while the outcome is not known: a repeat with the same id tells it.
 */
export function sendReserve(
  deps: ApiDeps,
  envelope: Envelope<RentalRequest>,
): Promise<RentalState> {
  const { id, branchId } = envelope.command;
  return waiting(deps, () => {
    // One operation a call: it cannot be used twice.
    const start = new WithStartWorkflowOperation<typeof rental>(
      'rental',
      rentalStartOptions(id, { branchId }),
    );
    return deps.temporal.workflow.executeUpdateWithStart(reserve, {
      args: [envelope],
      updateId: envelope.commandId,
      startWorkflowOperation: start,
    });
  });
}

/** Starts a person's erasure, or joins it. Throws the refusal of the workflow, or as above. */
export function sendErasure(
  deps: ApiDeps,
  envelope: Envelope<BeginErasure>,
): Promise<ErasureState> {
  return waiting(deps, () => {
    const start = new WithStartWorkflowOperation<typeof erasure>(
      'erasure',
      erasureStartOptions(envelope.command.customerId),
    );
    return deps.temporal.workflow.executeUpdateWithStart(begin, {
      args: [envelope],
      updateId: envelope.commandId,
      startWorkflowOperation: start,
    });
  });
}

/** Enters a recall's notice, or joins it. Throws the refusal of the workflow, or as above. */
export function sendRecall(deps: ApiDeps, envelope: Envelope<OpenRecall>): Promise<RecallState> {
  return waiting(deps, () => {
    const start = new WithStartWorkflowOperation<typeof recall>(
      'recall',
      recallStartOptions(envelope.command.recallId),
    );
    return deps.temporal.workflow.executeUpdateWithStart(openRecall, {
      args: [envelope],
      updateId: envelope.commandId,
      startWorkflowOperation: start,
    });
  });
}

/**
 * Changes what is told of a recall, through its workflow: that waits for the deadline. One that has
 * ended has nothing to wait for, so the change is made without it. Throws as `amendRecall` does.
 */
export async function sendAmend(
  deps: ApiDeps,
  envelope: Envelope<AmendRecall>,
): Promise<RecallState> {
  const { recallId, version, change } = envelope.command;
  try {
    return await waiting(deps, () =>
      deps.temporal.workflow.getHandle(recallWorkflowId(recallId)).executeUpdate(amend, {
        args: [envelope],
        updateId: envelope.commandId,
      }),
    );
  } catch (error) {
    if (!hasEnded(error)) throw error;
    return amendRecall(deps.db, principalOf(envelope.actor), recallId, version, change);
  }
}

/**
 * Goes on with a no-show in a run of its own, for the one before has ended; a repeat joins it. Throws
 * `invalid-state` for any other rental, or as above.
 */
export async function sendReinstate(
  deps: ApiDeps,
  known: RentalState,
  envelope: Envelope<object>,
): Promise<RentalState> {
  if (known.status !== 'no_show') return sendCommand(deps, known.id, reinstate, envelope);
  for (let tries = 1; ; tries += 1) {
    try {
      return await resume(deps, known, envelope);
    } catch (error) {
      // The row was faster: the run that made it a no-show has not heard of that yet.
      const isEarly = refusalOf(error)?.type === 'invalid-state';
      const row = isEarly ? await rentalById(deps.db, READER, known.id) : undefined;
      if (row?.status !== 'no_show' || tries === REINSTATE_TRIES) throw error;
      await delay(REINSTATE_PAUSE_MS);
    }
  }
}

function resume(
  deps: ApiDeps,
  known: RentalState,
  envelope: Envelope<object>,
): Promise<RentalState> {
  // What was to go back to the renter is needed again.
  const { payBack: _over, ...state } = known;
  return waiting(deps, () => {
    const start = new WithStartWorkflowOperation<typeof rental>(
      'rental',
      rentalResumeOptions(state),
    );
    return deps.temporal.workflow.executeUpdateWithStart(reinstate, {
      args: [envelope],
      updateId: envelope.commandId,
      startWorkflowOperation: start,
    });
  });
}

/** Throws `not-found` for a rental that never was, `invalid-state` for one that has ended. */
export async function sendCommand<C>(
  deps: ApiDeps,
  rentalId: string,
  definition: UpdateDefinition<RentalState, [Envelope<C>]>,
  envelope: Envelope<C>,
): Promise<RentalState> {
  try {
    return await waiting(deps, () =>
      deps.temporal.workflow.getHandle(rentalWorkflowId(rentalId)).executeUpdate(definition, {
        args: [envelope],
        updateId: envelope.commandId,
      }),
    );
  } catch (error) {
    if (hasEnded(error)) await explainEnd(deps, rentalId, definition.name);
    throw error;
  }
}

export function hasEnded(error: unknown): boolean {
  return (
    error instanceof WorkflowNotFoundError ||
    refusalOf(error)?.type === 'AcceptedUpdateCompletedWorkflow'
  );
}

/** Returns only when row and workflow disagree, which is ours to look into. */
async function explainEnd(deps: ApiDeps, rentalId: string, command: string): Promise<void> {
  const state = await rentalById(deps.db, READER, rentalId);
  if (state === undefined) throw new DomainError('not-found', 'There is no such rental.');
  if (isFinal(state.status) || state.status === 'returned') {
    throw new DomainError(
      'invalid-state',
      `A rental that is ${state.status} does not allow ${command}.`,
      { rentalStatus: state.status, command },
    );
  }
}

/**
 * The client itself retries a lost connection for up to its deadline. A caller should not wait that
 * long to hear that the server is down, but should when it is merely slow.
 */
export function waiting<T>(deps: ApiDeps, call: () => Promise<T>): Promise<T> {
  const timeoutMs = deps.commandTimeoutMs ?? COMMAND_TIMEOUT_MS;
  return unlessDown(deps.temporal, withDeadline(deps.temporal, timeoutMs, call));
}
