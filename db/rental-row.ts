// A rental's row and its state: the one place where columns and fields meet.
import type { Selectable } from 'kysely';
import type { Quote } from '../domain/pricing.ts';
import type { BillingCycle } from '../domain/rate-plan-terms.ts';
import type { DeskTerms, NotReturnedStep } from '../domain/rental/desk.ts';
import type { RentalState, RentalStatus } from '../domain/rental.ts';
import type { RentalsRental } from './schema.ts';

/** As selected; `price` and `desk_terms` were written by us and nobody else. */
export type RentalRow = Omit<Selectable<RentalsRental>, 'price' | 'desk_terms'> & {
  readonly price: Quote;
  readonly desk_terms: DeskTerms;
};

/** `vehicleId` is the calendar's until check-out, the row's from then on. */
export function rentalState(row: RentalRow, vehicleId: string | null): RentalState {
  return {
    id: row.id,
    number: row.number,
    status: row.status as RentalStatus,
    overdue: row.overdue,
    branchId: row.branch_id,
    returnBranchId: row.return_branch_id,
    classId: row.class_id,
    entityId: row.entity_id,
    customerId: row.customer_id,
    payerId: row.payer_id,
    vehicleId: row.vehicle_id ?? vehicleId,
    ...(row.given_class_id === null ? {} : { givenClassId: row.given_class_id }),
    pickUpAt: row.pick_up_at,
    dueAt: row.due_at,
    noShowAt: row.no_show_at,
    delayMinutes: row.delay_minutes,
    graceMinutes: row.grace_minutes,
    reminderMinutes: row.reminder_minutes,
    shortageMinutes: row.shortage_minutes,
    deskTerms: row.desk_terms,
    answerBy: row.answer_by,
    checkedOutAt: row.checked_out_at,
    odometerOutKm: row.odometer_out_km,
    fuelOutEighths: row.fuel_out_eighths,
    checkedInAt: row.checked_in_at,
    odometerInKm: row.odometer_in_km,
    fuelInEighths: row.fuel_in_eighths,
    price: row.price,
    invoiceId: row.invoice_id,
    invoiceNumber: row.invoice_number,
    feeMinor: row.fee_minor,
    walkUp: row.walk_up,
    announcedReturnAt: row.announced_return_at,
    afterHours: row.after_hours,
    notReturned: row.not_returned as NotReturnedStep | null,
    billingCycle: row.billing_cycle as BillingCycle | null,
    cycleEndsAt: row.cycle_ends_at,
    arrears: row.arrears,
    version: row.version,
  };
}
