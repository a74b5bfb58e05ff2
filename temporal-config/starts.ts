// How a rental's workflow is started, by the API and by whoever measures or tests it.
import {
  damageCaseWorkflowId,
  depositWorkflowId,
  erasureWorkflowId,
  FLEET_PROOF,
  quoteWorkflowId,
  recallWorkflowId,
  rentalWorkflowId,
  TASK_QUEUES,
  transferWorkflowId,
} from './names.ts';

/** The arguments of a first run; see workflows/rental.ts for what later runs carry. */
export type RentalStart = { readonly maxHistoryLength?: number };

/**
 * Options for `new WithStartWorkflowOperation('rental', …)`. One id is one rental for life: while
 * it runs a repeat joins it, and once it is closed a repeat gets its stored answer or is refused.
 */
export function rentalStartOptions(
  rentalId: string,
  start: RentalStart & { readonly taskQueue?: string; readonly branchId?: string } = {},
) {
  const { taskQueue = TASK_QUEUES.rentals, branchId, ...input } = start;
  return {
    workflowId: rentalWorkflowId(rentalId),
    taskQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    staticSummary: branchId === undefined ? 'Rental' : `Rental at ${branchId}`,
  } as const;
}

/**
 * For a no-show that goes on after all: a run of its own, which begins with what the row says. A
 * repeat joins it. Ids, codes, amounts and instants only, as in every state.
 */
export function rentalResumeOptions<S extends { readonly id: string; readonly branchId: string }>(
  state: S,
  taskQueue: string = TASK_QUEUES.rentals,
) {
  const timers = { dueAgreedAt: null, remindedFor: null, nextOverdueAt: null, pausedUntil: null };
  return {
    workflowId: rentalWorkflowId(state.id),
    taskQueue,
    args: [{ carried: { state, recent: [], timers, problem: null } }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: `Rental at ${state.branchId}, reinstated`,
  } as const;
}

/** One id is one recall: a repeat joins it, or gets its stored answer. */
export function recallStartOptions(recallId: string, taskQueue: string = TASK_QUEUES.rentals) {
  return {
    workflowId: recallWorkflowId(recallId),
    taskQueue,
    args: [],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    staticSummary: 'Recall',
  } as const;
}

export type ProofStart = { readonly proofId: string; readonly graceSeconds?: number };

/** A proof that a person asked for; the nightly one is started by its Schedule. */
export function fleetProofStartOptions(input: ProofStart) {
  return {
    workflowId: `${FLEET_PROOF}/${input.proofId}`,
    taskQueue: TASK_QUEUES.rentals,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    staticSummary: 'Proof of the fleet',
  } as const;
}

/** One id is one quote: a repeat joins it, or gets its stored answer. */
export function quoteStartOptions(quoteId: string, taskQueue: string = TASK_QUEUES.rentals) {
  return {
    workflowId: quoteWorkflowId(quoteId),
    taskQueue,
    args: [],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    staticSummary: 'Held quote',
  } as const;
}

/**
 * One id is one transfer for life: a repeat joins it, or gets its stored answer. Later runs carry what
 * workflows/transfer.ts hands over.
 */
export function transferStartOptions(
  transferId: string,
  start: { readonly taskQueue?: string; readonly maxHistoryLength?: number } = {},
) {
  const { taskQueue = TASK_QUEUES.rentals, ...input } = start;
  return {
    workflowId: transferWorkflowId(transferId),
    taskQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    staticSummary: 'Transfer',
  } as const;
}

/** One id is one damage case for life: a repeat joins it, or gets its stored answer. */
export function damageCaseStartOptions(
  caseId: string,
  start: { readonly taskQueue?: string; readonly maxHistoryLength?: number } = {},
) {
  const { taskQueue = TASK_QUEUES.rentals, ...input } = start;
  return {
    workflowId: damageCaseWorkflowId(caseId),
    taskQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    staticSummary: 'Damage case',
  } as const;
}

/** One deposit a rental at a time; when nothing is held it ends, and may be started again. */
export function depositStartOptions(
  rentalId: string,
  start: { readonly taskQueue?: string; readonly maxHistoryLength?: number } = {},
) {
  const { taskQueue = TASK_QUEUES.rentals, ...input } = start;
  return {
    workflowId: depositWorkflowId(rentalId),
    taskQueue,
    args: [{ rentalId, ...input }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: 'Deposit',
  } as const;
}

/** One erasure a person at a time; after a refusal it may be asked for again. */
export function erasureStartOptions(customerId: string, taskQueue: string = TASK_QUEUES.rentals) {
  return {
    workflowId: erasureWorkflowId(customerId),
    taskQueue,
    args: [],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: 'Erasure of a person',
  } as const;
}
