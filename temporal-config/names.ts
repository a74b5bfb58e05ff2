// Names that client, worker and workflow must spell alike.
import { defineSearchAttributeKey } from '@temporalio/common';

export const NAMESPACE = 'forecourt';

export const TASK_QUEUES = {
  vehicles: 'vehicles',
  rentals: 'rentals',
  maintenance: 'maintenance',
  people: 'people',
  accounting: 'accounting',
  /** Heavy month-end work, so that it never queues in front of a counter. */
  accountingBatch: 'accounting-batch',
} as const;

/** Values are never encrypted: ids, codes and times only. */
export const searchAttributes = {
  rentalStatus: defineSearchAttributeKey('RentalStatus', 'KEYWORD'),
  branchId: defineSearchAttributeKey('BranchId', 'KEYWORD'),
  vehicleId: defineSearchAttributeKey('VehicleId', 'KEYWORD'),
  customerId: defineSearchAttributeKey('CustomerId', 'KEYWORD'),
  dueAt: defineSearchAttributeKey('DueAt', 'DATETIME'),
  needsAttention: defineSearchAttributeKey('NeedsAttention', 'BOOL'),
} as const;

export function rentalWorkflowId(rentalId: string): string {
  return `rental/${rentalId}`;
}

export function erasureWorkflowId(customerId: string): string {
  return `erasure/${customerId}`;
}
