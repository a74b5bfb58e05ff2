// The nightly proof's rules: what agrees, what does not, and who mends it.
import { expect, test } from 'vitest';
import {
  compareQuote,
  compareRental,
  compareVehicle,
  type RentalSide,
  type SpanSide,
  type VehicleSides,
  type WorkflowSide,
} from '../../domain/reconciliation.ts';

const ID = '01990000-0000-7000-8000-000000000001';
const NOW = '2027-05-03T09:00:00.000Z';

const RESERVED: RentalSide = {
  status: 'reserved',
  version: 1,
  vehicleId: null,
  branchId: 'VIE',
  returnBranchId: 'GRZ',
  pickUpAt: '2027-05-04T08:00:00.000Z',
  dueAt: '2027-05-06T08:00:00.000Z',
  checkedOutAt: null,
  checkedInAt: null,
};
const TENTATIVE: SpanSide = {
  grip: 'tentative',
  vehicleId: 'v1',
  branchOut: 'VIE',
  branchIn: 'GRZ',
  from: '2027-05-04T08:00:00+00:00',
  to: '2027-05-06T08:30:00+00:00',
  turnaroundMinutes: 30,
};
const RUNS: WorkflowSide = { status: 'reserved', version: 1, vehicleId: 'v1' };

const ACTIVE: RentalSide = {
  ...RESERVED,
  status: 'active',
  version: 2,
  vehicleId: 'v1',
  checkedOutAt: '2027-05-04T07:50:00.123Z',
};
const OUT: SpanSide = { ...TENTATIVE, grip: 'out', from: '2027-05-04T07:50:00.123456+00:00' };
const RUNS_OUT: WorkflowSide = { status: 'active', version: 2, vehicleId: 'v1' };

function kinds(
  rental: RentalSide | null,
  span: SpanSide | null,
  workflow: WorkflowSide | null,
  now = NOW,
) {
  return compareRental({ id: ID, rental, span, workflow }, now).map(({ kind }) => kind);
}

test('three that say the same differ in nothing', () => {
  expect(kinds(RESERVED, TENTATIVE, RUNS)).toEqual([]);
  expect(kinds(ACTIVE, OUT, RUNS_OUT)).toEqual([]);
  const waits = { ...TENTATIVE, grip: 'unassigned', vehicleId: null };
  expect(kinds(RESERVED, waits, { ...RUNS, vehicleId: null })).toEqual([]);
  expect(kinds(null, null, null)).toEqual([]);
  const closed = { ...ACTIVE, status: 'closed', checkedInAt: '2027-05-05T08:00:00.000Z' } as const;
  expect(kinds(closed, { ...OUT, grip: 'firm' }, null)).toEqual([]);
  expect(
    kinds({ ...RESERVED, status: 'no_show' }, { ...TENTATIVE, grip: 'released' }, null),
  ).toEqual([]);
});

test('an open rental has a live span; a live span has an open rental', () => {
  expect(kinds(RESERVED, null, RUNS)).toContain('rental-without-span');
  expect(kinds(RESERVED, { ...TENTATIVE, grip: 'released' }, RUNS)).toEqual([
    'rental-without-span',
  ]);
  expect(kinds(null, TENTATIVE, null)).toEqual(['span-without-rental']);
  expect(kinds({ ...RESERVED, status: 'cancelled' }, TENTATIVE, null)).toEqual([
    'span-without-rental',
  ]);
  expect(kinds({ ...ACTIVE, status: 'closed' }, OUT, null)).toEqual(['span-without-rental']);
});

test('grip out belongs to active rentals, and to no others', () => {
  expect(kinds(ACTIVE, { ...OUT, grip: 'tentative' }, RUNS_OUT)).toEqual(['span-differs']);
  expect(kinds(RESERVED, { ...TENTATIVE, grip: 'out' }, RUNS)).toEqual(['span-differs']);
});

test.each<[string, Partial<SpanSide>]>([
  ['another vehicle', { vehicleId: 'v2' }],
  ['another branch to leave from', { branchOut: 'SZG' }],
  ['another branch to return to', { branchIn: 'SZG' }],
  ['another check-out', { from: '2027-05-04T08:00:00+00:00' }],
  ['an end before due and turnaround', { to: '2027-05-06T08:29:59+00:00' }],
])('a span of an active rental differs by %s', (_name, change) => {
  const said = { ...RUNS_OUT, vehicleId: 'v1' };
  expect(kinds(ACTIVE, { ...OUT, ...change }, said)).toEqual(['span-differs']);
});

test('who is overdue keeps the calendar longer; who waits begins later than booked', () => {
  expect(kinds(ACTIVE, { ...OUT, to: '2027-05-09T08:30:00Z' }, RUNS_OUT)).toEqual([]);
  const late = { ...TENTATIVE, from: '2027-05-04T09:00:00Z' };
  expect(kinds(RESERVED, late, RUNS)).toEqual(['span-differs']);
  expect(kinds(RESERVED, late, RUNS, '2027-05-04T08:30:00.000Z')).toEqual([]);
  expect(kinds(RESERVED, { ...TENTATIVE, to: '2027-05-06T08:31:00Z' }, RUNS)).toEqual([
    'span-differs',
  ]);
});

test('back is kept for a turnaround at most', () => {
  const back = { ...ACTIVE, status: 'returned', checkedInAt: '2027-05-05T08:00:00.000Z' } as const;
  const says = { status: 'returned', version: 2, vehicleId: 'v1' };
  const firm = { ...OUT, grip: 'firm' };
  expect(kinds(back, { ...firm, to: '2027-05-05T08:30:00Z' }, says)).toEqual([]);
  expect(kinds(back, { ...firm, to: '2027-05-05T08:10:00Z' }, says)).toEqual([]);
  expect(kinds(back, { ...firm, to: '2027-05-05T08:31:00Z' }, says)).toEqual(['span-differs']);
  // Dropped at eight, as the renter says, and found in the key drop before the proof looked.
  const dropped = { ...back, afterHours: true };
  const at = (minute: number) => ({ ...firm, to: `2027-05-05T18:${minute}:00Z` });
  const now = '2027-05-05T18:00:00.000Z';
  expect(kinds(dropped, at(30), says, now)).toEqual([]);
  expect(kinds(dropped, at(31), says, now)).toEqual(['span-differs']);
});

test('an open rental has a workflow that says the same; others have none', () => {
  expect(kinds(RESERVED, TENTATIVE, null)).toEqual(['rental-without-workflow']);
  expect(kinds(null, null, RUNS)).toEqual(['workflow-without-rental']);
  expect(kinds({ ...RESERVED, status: 'cancelled' }, null, RUNS)).toEqual([
    'workflow-without-rental',
  ]);
  for (const change of [{ status: 'active' }, { version: 2 }, { vehicleId: 'v2' }]) {
    expect(kinds(RESERVED, TENTATIVE, { ...RUNS, ...change })).toEqual(['workflow-differs']);
  }
});

test('a difference names both sides and the branch', () => {
  expect(compareRental({ id: ID, rental: RESERVED, span: null, workflow: RUNS }, NOW)[0]).toEqual({
    kind: 'rental-without-span',
    subject: { type: 'rental', id: ID },
    branchId: 'VIE',
    sides: { rental: RESERVED, calendar: null },
  });
});

const PARKED: VehicleSides = {
  id: ID,
  status: 'in_service',
  branchId: 'VIE',
  live: [{ kind: 'rental', ref: ID, grip: 'tentative' }],
  leftAt: 'VIE',
};

test.each<[string, Partial<VehicleSides>, readonly string[]]>([
  ['in service and booked', {}, []],
  ['booked while prepared', { status: 'preparing' }, ['vehicle-status']],
  ['in the workshop while prepared', { status: 'preparing', live: [span('maintenance')] }, []],
  ['sold and in the workshop', { status: 'sold', live: [span('maintenance')] }, ['vehicle-status']],
  ['written off with nothing', { status: 'written_off', live: [] }, []],
  ['left elsewhere', { leftAt: 'GRZ' }, ['vehicle-place']],
  ['moved by hand, or never out', { leftAt: null }, []],
])('a vehicle that is %s', (_name, change, expected) => {
  expect(compareVehicle({ ...PARKED, ...change }).map(({ kind }) => kind)).toEqual(expected);
});

function span(kind: string) {
  return { kind, ref: ID, grip: 'firm' };
}

test('a held quote is given back when its time is over', () => {
  const quote = { id: ID, branchOut: 'VIE', vehicleId: 'v1' };
  expect(compareQuote({ ...quote, heldUntil: NOW }, NOW)).toEqual([]);
  const late = compareQuote({ ...quote, heldUntil: '2027-05-03T08:59:59Z' }, NOW);
  expect(late.map(({ kind }) => kind)).toEqual(['quote-not-released']);
});
