// A damage case's row as its state, and the fact that each change publishes.
import { sql } from 'kysely';
import type { CaseState } from '../domain/damage-case.ts';

/** Of rentals.damage_case. */
export const CASE_COLUMNS = sql`id, status, rental_id as "rentalId", vehicle_id as "vehicleId",
  branch_id as "branchId", inspection_id as "inspectionId", severity, currency, loss, exclusion,
  charge, work_order_ref as "workOrderRef", dispute_reason as "disputeReason",
  waive_reason as "waiveReason", insurer_minor as "insurerMinor",
  insurer_entry_id is not null as "insurerPosted", invoice_id as "invoiceId",
  invoice_number as "invoiceNumber", estimate_due_at as "estimateDueAt",
  answer_due_at as "answerDueAt", attention, repaired_at as "repairedAt", held, version`;

export function caseFact(state: CaseState) {
  return {
    caseId: state.id,
    rentalId: state.rentalId,
    vehicleId: state.vehicleId,
    branchId: state.branchId,
    status: state.status,
    severity: state.severity,
    chargeMinor: state.charge?.totalMinor ?? null,
    currency: state.currency,
    attention: state.attention,
  };
}
