// How a rental's workflow is started, by the API and by whoever measures or tests it.
import { erasureWorkflowId, rentalWorkflowId, TASK_QUEUES } from './names.ts';

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
