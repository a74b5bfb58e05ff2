// A counter's day as it is asked for and shown.
import { z } from '@hono/zod-openapi';
import { RentalActions } from '../rental-actions.ts';
import { BranchId, ClassId, Id } from './common.ts';

export const TodayQuery = z.strictObject({ branchId: BranchId });

const BranchTime = z.string().openapi({
  description: 'An instant, in the time zone of the branch that asked',
  example: '2027-05-03T10:00:00+02:00',
});

const row = {
  id: Id,
  number: z.string().openapi({ example: 'RA-1000' }),
  status: z.string().openapi({ example: 'reserved' }),
  classId: ClassId,
  branchId: BranchId,
  returnBranchId: BranchId,
  customerId: Id,
  customerName: z.string().nullable().openapi({
    description: 'Null for whoever may not see customers',
  }),
  vehicleId: Id.nullable(),
  plate: z.string().nullable(),
  pickUpAt: BranchTime,
  dueAt: BranchTime,
  announcedReturnAt: BranchTime.nullable().openapi({
    description: 'When a late renter said that it comes back',
  }),
  unassigned: z.boolean().openapi({ description: 'Booked, and its vehicle is to be found' }),
  overdue: z.boolean(),
  delayMinutes: z.int().openapi({ description: 'Of the renter’s flight' }),
  flightNumber: z.string().nullable().openapi({
    example: 'OS123',
    description: 'Null for whoever may not see customers too',
  }),
  reason: z
    .enum([
      'overdue',
      'call-renter',
      'manager-case',
      'unassigned',
      'requested',
      'deposit',
      'arrears',
      'outside-hours',
      'pay-back',
    ])
    .nullable()
    .openapi({
      description:
        'Why it needs somebody; null in the other lists. A day late the renter is called, after ' +
        'three days it is a manager’s case. Outside hours: a handover that was agreed for a time at ' +
        'which the branch will be closed or takes a fee',
    }),
};
const CounterRow = z
  .object({
    ...row,
    actions: RentalActions.openapi({
      description: 'As those of the rental, without the commands that its status rules out',
    }),
  })
  .openapi('CounterRow');

const CounterList = z
  .object({
    count: z.int().openapi({ description: 'Of all' }),
    rows: z.array(CounterRow).readonly().openapi({ description: 'The first 100 by time' }),
  })
  .openapi('CounterList');

export const CounterToday = z
  .object({
    branchId: BranchId,
    date: z.string().openapi({ format: 'date', description: 'The branch’s own day' }),
    timeZone: z.string().openapi({ example: 'Europe/Vienna' }),
    dueOut: CounterList.openapi({ description: 'Reserved for today or before: still to go out' }),
    dueIn: CounterList.openapi({ description: 'Out, and due here today or within its grace' }),
    overdue: CounterList.openapi({ description: 'Out, and due here longer ago than its grace' }),
    needsAttention: CounterList.openapi({
      description: 'By reason; a rental that has two is there twice',
    }),
    openShifts: z
      .array(
        z.object({
          id: Id,
          drawer: z.string(),
          state: z.enum(['open', 'counting']),
          stale: z.boolean().openapi({ description: 'Of a day before: it was forgotten' }),
        }),
      )
      .readonly()
      .openapi({ description: 'Cash drawers that are to be closed before the day is' }),
    lastClosedDay: z
      .string()
      .nullable()
      .openapi({ format: 'date', description: 'Of the branch; null before its first close' }),
    fleetDifferences: z.int().openapi({
      description: 'That the nightly proof found at the branch and nobody has mended',
    }),
  })
  .openapi('CounterToday');
