// The state machine of a rental: every command in every state, and what each outcome changes.
import { describe, expect, test } from 'vitest';
import type { DomainError } from '../../domain/errors.ts';
import { quote } from '../../domain/pricing.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';
import {
  allowedCommands,
  decide,
  evolve,
  isFinal,
  type RentalCommand,
  type RentalOutcome,
  type RentalState,
  type RentalStatus,
} from '../../domain/rental.ts';
import { rentalActions } from '../../domain/rental-actions.ts';
import { decideRequest, MAX_DAYS_AHEAD, MAX_RENTAL_DAYS } from '../../domain/rental-term.ts';

const pickUpAt = '2027-03-01T10:00:00.000Z';
const dueAt = '2027-03-03T10:00:00.000Z';
const later = '2027-03-04T10:00:00.000Z';
const price = quote({ plan: GOLD_1, pickUpAt, returnAt: dueAt });

function rental(change: Partial<RentalState> = {}): RentalState {
  return {
    id: '01980a5d-ac96-774b-bcce-b302099a8057',
    number: 'RA-1000',
    status: 'reserved',
    overdue: false,
    branchId: 'VIE',
    returnBranchId: 'VIE',
    classId: 'CDMR',
    entityId: 'FC-AT',
    customerId: '01980a5d-ac96-774b-bcce-b302099a8058',
    vehicleId: '01980a5d-ac96-774b-bcce-b302099a8059',
    pickUpAt,
    dueAt,
    noShowAt: '2027-03-01T12:00:00.000Z',
    graceMinutes: 29,
    reminderMinutes: 1_440,
    checkedOutAt: null,
    odometerOutKm: null,
    fuelOutEighths: null,
    checkedInAt: null,
    odometerInKm: null,
    fuelInEighths: null,
    price,
    invoiceId: null,
    invoiceNumber: null,
    version: 1,
    ...change,
  };
}

const COMMANDS: readonly RentalCommand[] = [
  { type: 'checkOut', odometerKm: 10, fuelEighths: 8 },
  { type: 'extend', dueAt: later },
  { type: 'checkIn', odometerKm: 20, fuelEighths: 8, branchId: 'VIE' },
  { type: 'exchange', reason: 'fleet', branchId: 'VIE', odometerKm: 20, fuelEighths: 8 },
  { type: 'undoCheckOut', odometerKm: 5, fuelEighths: 8, reason: 'typing' },
  { type: 'announceReturn', at: later },
  { type: 'announceDelay', delayMinutes: 90 },
  { type: 'reinstate' },
  { type: 'cancel', reason: 'customer' },
  { type: 'confirm' },
  { type: 'decline', reason: 'no-vehicle' },
  { type: 'expire' },
  { type: 'noShow' },
  { type: 'remind' },
  { type: 'markOverdue' },
  { type: 'amend', coverages: [] },
  { type: 'swap', classId: 'IDMR' },
  { type: 'close' },
];

const BEFORE_THE_KEYS = ['checkOut', 'extend', 'amend', 'swap', 'announceDelay', 'cancel'] as const;
const FROM_THE_ROAD = ['extend', 'exchange', 'checkIn', 'undoCheckOut', 'announceReturn'] as const;
const ALLOWED: Readonly<Record<RentalStatus, readonly RentalCommand['type'][]>> = {
  requested: ['announceDelay', 'cancel', 'confirm', 'decline', 'expire'],
  refused: [],
  reserved: [...BEFORE_THE_KEYS, 'noShow'],
  active: [...FROM_THE_ROAD, 'remind', 'markOverdue'],
  returned: ['close'],
  closed: [],
  cancelled: [],
  no_show: ['reinstate'],
  declined: [],
  expired: [],
};

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as DomainError).code;
  }
  return 'none';
}

describe('which command is allowed when', () => {
  const cells = Object.entries(ALLOWED).flatMap(([status, allowed]) =>
    COMMANDS.map((command) => ({
      status: status as RentalStatus,
      command,
      type: command.type,
      expected: allowed.includes(command.type) ? 'none' : 'invalid-state',
    })),
  );
  test.each(cells)('$type while $status: $expected', ({ status, command, expected }) => {
    expect(refusal(() => decide(rental({ status }), command, pickUpAt))).toBe(expected);
  });

  test('people are offered exactly what is allowed to them', () => {
    expect(allowedCommands('reserved')).toEqual(BEFORE_THE_KEYS);
    const answers = ['announceDelay', 'cancel', 'confirm', 'decline'];
    expect(allowedCommands('requested')).toEqual(answers);
    expect(allowedCommands('active')).toEqual(FROM_THE_ROAD);
    expect(allowedCommands('no_show')).toEqual(['reinstate']);
    expect(allowedCommands('returned')).toEqual([]);
  });

  test.each(cells)('$type while $status is judged for a screen as it is decided', (cell) => {
    const state = rental({ status: cell.status });
    const shown = rentalActions(state, pickUpAt).find(({ command }) => command === cell.type);
    if (shown === undefined) expect(allowedCommands(cell.status)).not.toContain(cell.type);
    else expect(shown.refusal?.code ?? 'none').toBe(cell.expected);
  });

  test('a confirmation that comes too late is not offered either', () => {
    const state = rental({ status: 'requested', vehicleId: null, answerBy: pickUpAt });
    const shown = rentalActions(state, pickUpAt).flatMap(({ command, refusal }) =>
      refusal === null ? [command] : [],
    );
    expect(shown).toEqual(['announceDelay', 'cancel', 'decline']);
  });
});

describe('what a command may say', () => {
  const active = rental({ status: 'active', odometerOutKm: 100 });
  const checkIn = { type: 'checkIn', odometerKm: 99, fuelEighths: 8, branchId: 'VIE' } as const;

  test('an odometer never runs backwards; the same reading is fine', () => {
    expect(refusal(() => decide(active, checkIn, pickUpAt))).toBe('odometer-rollback');
    expect(refusal(() => decide(active, { ...checkIn, odometerKm: 100 }, pickUpAt))).toBe('none');
  });

  test('it may come back at another branch than booked', () => {
    const elsewhere = { ...checkIn, odometerKm: 100, branchId: 'GRZ' };
    expect(refusal(() => decide(active, elsewhere, pickUpAt))).toBe('none');
  });

  test('a request is confirmed before its time is over', () => {
    const requested = rental({ status: 'requested', vehicleId: null, answerBy: pickUpAt });
    const confirm = (now: string) => refusal(() => decide(requested, { type: 'confirm' }, now));
    expect(confirm('2027-03-01T09:59:59.999Z')).toBe('none');
    expect(confirm(pickUpAt)).toBe('invalid-state');
  });

  test('an extension ends later, and within three years of the pick-up', () => {
    const extend = (to: string, now = pickUpAt) =>
      refusal(() => decide(active, { type: 'extend', dueAt: to }, now));
    expect(extend(dueAt)).toBe('due-not-later');
    expect(extend(later)).toBe('none');
    expect(extend(later, later), 'a due time that has passed already').toBe('due-not-later');
    expect(extend('2030-03-02T10:00:00.000Z')).toBe('booking-too-long');
  });

  test('a request begins now or later, ends after it begins and within three years', () => {
    const now = '2027-03-01T10:15:00.000Z';
    const ask = (from: string, to: string) =>
      refusal(() => decideRequest({ pickUpAt: from, dueAt: to }, now));
    expect(ask(pickUpAt, dueAt)).toBe('none');
    expect(ask('2027-03-01T09:59:59.000Z', dueAt)).toBe('pick-up-in-past');
    expect(ask(dueAt, dueAt)).toBe('due-not-later');
    const farthest = new Date(Date.parse(now) + MAX_DAYS_AHEAD * 86_400_000).toISOString();
    expect(ask(farthest, '2030-12-01T00:00:00.000Z')).toBe('none');
    expect(ask('9999-12-31T23:00:00.000Z', '9999-12-31T23:59:00.000Z')).toBe('pick-up-too-far');
    const last = Date.parse(dueAt) + MAX_RENTAL_DAYS * 86_400_000;
    expect(ask(dueAt, new Date(last).toISOString())).toBe('none');
    expect(ask(dueAt, new Date(last + 1).toISOString())).toBe('booking-too-long');
  });
});

describe('what an outcome changes', () => {
  const base = { at: '2027-03-01T10:05:00.000Z', version: 2, reassigned: [] } as const;
  const reading = { odometerKm: 10, fuelEighths: 7 };
  const CASES: readonly (readonly [RentalOutcome, Partial<RentalState>])[] = [
    [
      { ...base, ...reading, type: 'checkedOut', vehicleId: 'other' },
      {
        status: 'active',
        vehicleId: 'other',
        checkedOutAt: base.at,
        odometerOutKm: 10,
        fuelOutEighths: 7,
      },
    ],
    [
      { ...base, type: 'extended', dueAt: later, vehicleId: 'other', price },
      {
        ...{ dueAt: later, vehicleId: 'other', overdue: false },
        ...{ announcedReturnAt: null, notReturned: null },
      },
    ],
    [
      {
        ...base,
        ...reading,
        type: 'checkedIn',
        branchId: 'VIE',
        price,
        invoiceId: 'i',
        invoiceNumber: 'INV-2027-000001',
      },
      {
        status: 'returned',
        overdue: false,
        ...{ notReturned: null, afterHours: false },
        checkedInAt: base.at,
        odometerInKm: 10,
        fuelInEighths: 7,
        invoiceId: 'i',
        invoiceNumber: 'INV-2027-000001',
      },
    ],
    [
      { ...base, type: 'cancelled' },
      { status: 'cancelled', vehicleId: null },
    ],
    [
      { ...base, type: 'noShow' },
      { status: 'no_show', vehicleId: null },
    ],
    [
      { ...base, type: 'overdueMarked' },
      { overdue: true, notReturned: null },
    ],
    [{ ...base, type: 'reminded' }, {}],
    [{ ...base, type: 'closed' }, { status: 'closed' }],
  ];
  test.each(CASES)('%o', (outcome, change) => {
    const before = rental({ overdue: 'overdue' in change && change.overdue === false });
    expect(evolve(before, outcome)).toEqual({ ...before, ...change, version: 2 });
  });

  test('a rental ends closed, cancelled, refused, as a no-show, or as a request declined or expired', () => {
    const ends = (Object.keys(ALLOWED) as RentalStatus[]).filter(isFinal);
    expect(ends).toEqual(['refused', 'closed', 'cancelled', 'no_show', 'declined', 'expired']);
  });
});
