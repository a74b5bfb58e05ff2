// Rentals as they are asked for and shown, with what may be done to them now.
import { z } from '@hono/zod-openapi';
import { localTime } from '../../domain/calendar.ts';
import {
  allowedCommands,
  CANCEL_REASONS,
  DECLINE_REASONS,
  type PeoplesCommand,
  type RentalState,
} from '../../domain/rental.ts';
import { needsAttention } from '../../domain/rental-attention.ts';
import type { BranchZones } from '../branch-zones.ts';
import {
  BranchId,
  ClassId,
  Id,
  Instant,
  pageQuery,
  sortQuery,
  text,
  UtcInstant,
} from './common.ts';
import { Price } from './quotes.ts';

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

const odometerKm = z.int().min(0).max(5_000_000);
const fuelEighths = z.int().min(0).max(8).openapi({ description: 'Eighths of a full tank' });

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
    quoteId: Id.optional().openapi({ description: 'A held quote of the same branch and class' }),
    override: Override.optional(),
  })
  .openapi('NewRental');
export const CheckOut = z
  .strictObject({
    odometerKm,
    fuelEighths,
    vehicleId: Id.optional().openapi({
      description: 'Whose keys go out; left out, those of the vehicle that is kept',
    }),
  })
  .openapi('CheckOut');
export const Extend = z.strictObject({ dueAt: Instant }).openapi('Extend');
export const CheckIn = z
  .strictObject({ odometerKm, fuelEighths, branchId: BranchId })
  .openapi('CheckIn');
export const Cancel = z.strictObject({ reason: z.enum(CANCEL_REASONS) }).openapi('Cancel');

export const Confirm = z.strictObject({ override: Override.optional() }).openapi('Confirm');
export const Decline = z.strictObject({ reason: z.enum(DECLINE_REASONS) }).openapi('Decline');

/** The path segment of each command. */
export const COMMAND_PATHS = {
  checkOut: 'check-out',
  extend: 'extend',
  checkIn: 'check-in',
  cancel: 'cancel',
  confirm: 'confirm',
  decline: 'decline',
} as const satisfies Readonly<Record<PeoplesCommand, string>>;

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
    vehicleId: Id.nullable(),
    pickUpAt: UtcInstant,
    pickUpAtLocal: LocalTime,
    dueAt: UtcInstant,
    dueAtLocal: LocalTime,
    noShowAt: UtcInstant,
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
    commands: z
      .array(z.object({ name: z.string(), method: z.literal('POST'), href: z.string() }))
      .readonly()
      .openapi({ description: 'What a person may do to it now' }),
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
  q: text(30).optional().openapi({ description: 'The beginning of the number' }),
  sort: sortQuery({ dueAt: 'due_at', pickUpAt: 'pick_up_at' }),
});

export const RentalNumber = z
  .string()
  .regex(/^RA-[0-9]{1,12}$/)
  .openapi({ example: 'RA-1000' });

/** Due times are those of the branch that the vehicle returns to. */
export async function rentalView(state: RentalState, zones: BranchZones) {
  // What the workflow keeps for its timers is nobody else's business.
  const {
    entityId: _e,
    graceMinutes: _g,
    reminderMinutes: _r,
    shortageMinutes: _s,
    ...shown
  } = state;
  const [pickUpZone, dueZone] = await Promise.all([
    zones(state.branchId),
    zones(state.returnBranchId),
  ]);
  return {
    ...shown,
    answerBy: state.answerBy ?? null,
    allocation: allocationOf(state),
    needsAttention: needsAttention(state, new Date().toISOString()),
    pickUpAtLocal: localTime(state.pickUpAt, pickUpZone),
    dueAtLocal: localTime(state.dueAt, dueZone),
    commands: allowedCommands(state.status).map((name) => ({
      name,
      method: 'POST' as const,
      href: `/api/v1/rentals/${state.id}/${COMMAND_PATHS[name]}`,
    })),
  };
}

function allocationOf({ status, vehicleId }: RentalState): 'assigned' | 'unassigned' | null {
  if (vehicleId !== null) return 'assigned';
  return status === 'reserved' ? 'unassigned' : null;
}
