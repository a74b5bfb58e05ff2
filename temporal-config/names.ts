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

/** The Schedule's; runs that a person starts have the proof's id behind it. */
export const FLEET_PROOF = 'fleet-proof';

export function recallWorkflowId(recallId: string): string {
  return `recall/${recallId}`;
}

export function depositWorkflowId(rentalId: string): string {
  return `deposit/${rentalId}`;
}

export function damageCaseWorkflowId(caseId: string): string {
  return `damage-case/${caseId}`;
}

export function quoteWorkflowId(quoteId: string): string {
  return `quote/${quoteId}`;
}

export function transferWorkflowId(transferId: string): string {
  return `transfer/${transferId}`;
}

export function erasureWorkflowId(customerId: string): string {
  return `erasure/${customerId}`;
}
