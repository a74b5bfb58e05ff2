// Rentals as they are asked for and shown, with what may be done to them now.
import { z } from '@hono/zod-openapi';
import { localTime } from '../../domain/calendar.ts';
import { BILLING_CYCLES } from '../../domain/rate-plan-terms.ts';
import { NOT_RETURNED_STEPS } from '../../domain/rental/desk.ts';
import { DECLINE_REASONS, type RentalState } from '../../domain/rental.ts';
import { needsAttention } from '../../domain/rental-attention.ts';
import type { Caller } from '../auth/caller.ts';
import type { BranchZones } from '../branch-zones.ts';
import { actionsOf, RentalActions } from '../rental-actions.ts';
import {
  BranchId,
  ClassId,
  Id,
  Instant,
  Minor,
  pageQuery,
  sortQuery,
  text,
  UtcInstant,
} from './common.ts';
import { Flight } from './flights.ts';
import { choiceFields, Price } from './quotes.ts';

const STATUSES = [
  'requested',
  'reserved',
  'active',
  'returned',
  'closed',
  'cancelled',
  'no_show',
  'declined',
  'expired',
] as const;

export const odometerKm = z.int().min(0).max(5_000_000);
export const fuelEighths = z.int().min(0).max(8).openapi({ description: 'Eighths of a full tank' });

export const Override = z
  .strictObject({
    reason: text(200).openapi({ description: 'For the audit log; names no persons' }),
    stopSell: z.literal(true).optional(),
    overbook: z.literal(1).optional().openapi({ description: 'One beyond the limit' }),
  })
  .refine(({ stopSell, overbook }) => stopSell !== undefined || overbook !== undefined, {
    message: 'must override something',
  })
  .openapi('BookingOverride', { description: 'What a branch manager lets pass' });

export const AgentId = Id.optional().openapi({
  description: 'Who earns a commission on it: named by staff alone',
});

export const choiceNames = Object.keys(choiceFields) as readonly (keyof typeof choiceFields)[];

export const NewRental = z
  .strictObject({
    branchId: BranchId,
    classId: ClassId,
    customerId: Id,
    pickUpAt: Instant,
    dueAt: Instant,
    returnBranchId: BranchId.optional().openapi({
      description: 'Where it is given back; left out, where it starts',
    }),
    ...choiceFields,
    payerId: Id.optional().openapi({
      description: 'The customer who is invoiced; left out, the one who rents',
    }),
    agentId: AgentId,
    billing: z
      .enum(['none', ...BILLING_CYCLES])
      .optional()
      .openapi({
        description:
          'Invoiced in cycles once it lasts more than 30 days; left out, as the plan says',
      }),
    quoteId: Id.optional().openapi({
      description: 'A held quote of the same branch and class; it brings what was taken with it',
    }),
    flight: Flight.optional(),
    override: Override.optional(),
  })
  .refine(
    ({ quoteId, ...taken }) =>
      quoteId === undefined || choiceNames.every((name) => taken[name] === undefined),
    { message: 'a held quote is accepted as it was given', path: ['quoteId'] },
  )
  .openapi('NewRental');

export const Confirm = z.strictObject({ override: Override.optional() }).openapi('Confirm');
export const Decline = z.strictObject({ reason: z.enum(DECLINE_REASONS) }).openapi('Decline');

const LocalTime = z.string().openapi({
  description: 'The same instant in the time zone of the branch',
  example: '2027-05-03T10:00:00+02:00',
});

export const Rental = z
  .object({
    id: Id,
    number: z.string().openapi({ example: 'RA-1000' }),
    status: z.string().openapi({ enum: [...STATUSES] }),
    overdue: z.boolean(),
    needsAttention: z.boolean(),
    branchId: BranchId,
    returnBranchId: BranchId,
    classId: ClassId,
    customerId: Id,
    payerId: Id.nullable().openapi({ description: 'Invoiced instead of the customer' }),
    vehicleId: Id.nullable(),
    givenClassId: ClassId.nullable().openapi({
      description: 'Of the vehicle, where a swap gave one that is not as it was booked',
    }),
    pickUpAt: UtcInstant,
    pickUpAtLocal: LocalTime,
    dueAt: UtcInstant,
    dueAtLocal: LocalTime,
    noShowAt: UtcInstant,
    delayMinutes: z.int().openapi({
      description: 'Of the renter’s flight, for which it is kept longer',
    }),
    answerBy: UtcInstant.nullable().openapi({
      description: 'Of what was requested: unanswered by then, it expires',
    }),
    checkedOutAt: UtcInstant.nullable(),
    odometerOutKm: z.int().nullable(),
    fuelOutEighths: z.int().nullable(),
    checkedInAt: UtcInstant.nullable(),
    odometerInKm: z.int().nullable(),
    fuelInEighths: z.int().nullable(),
    price: Price,
    invoiceId: Id.nullable(),
    invoiceNumber: z.string().nullable(),
    feeMinor: Minor.nullable().openapi({
      description: 'Of one that did not take place: gross, as invoiced',
    }),
    walkUp: z.boolean().openapi({ description: 'It began at the counter, unbooked' }),
    announcedReturnAt: UtcInstant.nullable().openapi({
      description: 'When a late renter said that it comes back; the due time stays',
    }),
    afterHours: z.boolean().openapi({ description: 'It was left at a closed branch' }),
    notReturned: z.enum(NOT_RETURNED_STEPS).nullable().openapi({
      description: 'What was done last about a vehicle that does not come back',
    }),
    billingCycle: z.enum(BILLING_CYCLES).nullable(),
    cycleEndsAt: UtcInstant.nullable().openapi({ description: 'Of the cycle billed next' }),
    arrears: z.boolean().openapi({ description: 'An invoice of a cycle is overdue' }),
    payBackMinor: Minor.nullable().openapi({
      description: 'Of one that is over: deposits and payments that are still to go back',
    }),
    allocation: z.enum(['assigned', 'unassigned']).nullable().openapi({
      description:
        'Unassigned: booked, and its vehicle is to be found; null: it needs none any more',
    }),
    warnings: z
      .array(
        z.object({
          holdId: Id,
          type: z.string(),
          from: UtcInstant.nullable(),
          until: UtcInstant.nullable(),
          limitKm: z.int().nullable(),
          projectedKm: z.int().nullable(),
        }),
      )
      .readonly()
      .optional()
      .openapi({ description: 'Of a check-out: holds within its time that warn' }),
    version: z.int(),
    actions: RentalActions,
  })
  .openapi('Rental');

export const RentalList = z.strictObject({
  ...pageQuery(Id),
  branchId: BranchId.optional(),
  customerId: Id.optional(),
  status: z.enum(STATUSES).optional(),
  overdue: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .openapi({ type: 'boolean' }),
  dueAfter: Instant.optional(),
  dueBefore: Instant.optional(),
  q: text(254)
    .optional()
    .openapi({
      description:
        'The beginning of the number or its digits, a plate of a vehicle that it has or had, and, for ' +
        'who may see customers, the beginning of the name (two letters on), the phone or the mail',
    }),
  sort: sortQuery({ dueAt: 'due_at', pickUpAt: 'pick_up_at' }),
});

export const RentalNumber = z
  .string()
  .regex(/^RA-[0-9]{1,12}$/)
  .openapi({ example: 'RA-1000' });

/** Due times are those of the branch that the vehicle returns to; actions are the caller's. */
export async function rentalView(state: RentalState, zones: BranchZones, caller: Caller) {
  // What the workflow keeps for its timers is nobody else's business.
  const {
    entityId: _e,
    graceMinutes: _g,
    reminderMinutes: _r,
    shortageMinutes: _s,
    deskTerms: _d,
    exchanged: _x,
    isExchanged: _i,
    payBack,
    ...shown
  } = state;
  const [pickUpZone, dueZone] = await Promise.all([
    zones(state.branchId),
    zones(state.returnBranchId),
  ]);
  return {
    ...shown,
    answerBy: state.answerBy ?? null,
    delayMinutes: state.delayMinutes ?? 0,
    payerId: state.payerId ?? null,
    givenClassId: state.givenClassId ?? null,
    feeMinor: state.feeMinor ?? null,
    billingCycle: state.billingCycle ?? null,
    cycleEndsAt: state.cycleEndsAt ?? null,
    arrears: state.arrears ?? false,
    payBackMinor: payBack?.amountMinor ?? null,
    allocation: allocationOf(state),
    walkUp: state.walkUp === true,
    announcedReturnAt: state.announcedReturnAt ?? null,
    afterHours: state.afterHours === true,
    notReturned: state.notReturned ?? null,
    needsAttention: needsAttention(state, new Date().toISOString()),
    pickUpAtLocal: localTime(state.pickUpAt, pickUpZone),
    dueAtLocal: localTime(state.dueAt, dueZone),
    actions: actionsOf(state, caller),
  };
}

function allocationOf({ status, vehicleId }: RentalState): 'assigned' | 'unassigned' | null {
  if (vehicleId !== null) return 'assigned';
  return status === 'reserved' ? 'unassigned' : null;
}
