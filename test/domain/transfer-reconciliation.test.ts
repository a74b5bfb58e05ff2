// The nightly proof's rules for transfers: what agrees, and what does not.
import { expect, test } from 'vitest';
import type { SpanSide, WorkflowSide } from '../../domain/reconciliation.ts';
import { compareTransfer, type TransferSide } from '../../domain/transfer-reconciliation.ts';

const PLANNED: TransferSide = {
  status: 'planned',
  version: 1,
  vehicleId: 'v1',
  fromBranchId: 'VIE',
  toBranchId: 'GRZ',
  departsAt: '2027-05-04T08:00:00.000Z',
  arrivesAt: '2027-05-04T11:00:00.000Z',
  departedAt: null,
};
const KEPT: SpanSide = {
  grip: 'tentative',
  vehicleId: 'v1',
  branchOut: 'VIE',
  branchIn: 'GRZ',
  from: '2027-05-04T08:00:00+00:00',
  to: '2027-05-04T11:30:00+00:00',
  turnaroundMinutes: 30,
};
const RUNS: WorkflowSide = { status: 'planned', version: 1, vehicleId: 'v1' };
const GONE: TransferSide = {
  ...PLANNED,
  status: 'under_way',
  version: 2,
  departedAt: '2027-05-04T08:10:00.123Z',
};
const OUT: SpanSide = {
  ...KEPT,
  grip: 'out',
  from: '2027-05-04T08:10:00.123456+00:00',
  to: '2027-05-04T15:00:00+00:00',
};
const RUNS_OUT: WorkflowSide = { status: 'under_way', version: 2, vehicleId: 'v1' };
const ARRIVED: TransferSide = { ...GONE, status: 'arrived', version: 3 };
const CANCELLED: TransferSide = { ...PLANNED, status: 'cancelled', version: 2 };

function kinds(
  transfer: TransferSide | null,
  span: SpanSide | null,
  workflow: WorkflowSide | null,
) {
  return compareTransfer({ id: 't1', transfer, span, workflow }).map(({ kind }) => kind);
}

test('three that say the same differ in nothing', () => {
  expect(kinds(PLANNED, KEPT, RUNS)).toEqual([]);
  expect(kinds(GONE, OUT, RUNS_OUT)).toEqual([]);
  expect(kinds(ARRIVED, { ...OUT, grip: 'firm' }, null)).toEqual([]);
  expect(kinds(CANCELLED, { ...KEPT, grip: 'released' }, null)).toEqual([]);
});

test.each([
  ['without a span', PLANNED, null, RUNS, 'transfer-without-span'],
  [
    'given up by the calendar',
    PLANNED,
    { ...KEPT, grip: 'released' },
    RUNS,
    'transfer-without-span',
  ],
  ['unknown', null, KEPT, null, 'span-without-transfer'],
  ['cancelled, and its vehicle still kept', CANCELLED, KEPT, null, 'span-without-transfer'],
  ['arrived, and still out', ARRIVED, OUT, null, 'span-without-transfer'],
  ['with another vehicle', PLANNED, { ...KEPT, vehicleId: 'v2' }, RUNS, 'span-differs'],
  ['to elsewhere', PLANNED, { ...KEPT, branchIn: 'LNZ' }, RUNS, 'span-differs'],
  ['from elsewhere', PLANNED, { ...KEPT, branchOut: 'LNZ' }, RUNS, 'span-differs'],
  ['kept too shortly', PLANNED, { ...KEPT, to: KEPT.from }, RUNS, 'span-differs'],
  ['kept too late', PLANNED, { ...KEPT, from: KEPT.to }, RUNS, 'span-differs'],
  ['out before it departed', PLANNED, { ...KEPT, grip: 'out' }, RUNS, 'span-differs'],
  ['under way, and kept at home', GONE, { ...OUT, grip: 'tentative' }, RUNS_OUT, 'span-differs'],
  ['out from another time', GONE, { ...OUT, from: KEPT.from }, RUNS_OUT, 'span-differs'],
  ['that nobody watches', GONE, OUT, null, 'transfer-without-workflow'],
  ['cancelled, and still watched', CANCELLED, null, RUNS, 'workflow-without-transfer'],
  ['behind its workflow', PLANNED, KEPT, RUNS_OUT, 'workflow-differs'],
  ['ahead of its workflow', { ...PLANNED, version: 2 }, KEPT, RUNS, 'workflow-differs'],
  ['of another vehicle', PLANNED, KEPT, { ...RUNS, vehicleId: 'v2' }, 'workflow-differs'],
] as const)('one %s differs', (_, transfer, span, workflow, kind) => {
  expect(kinds(transfer, span, workflow)).toEqual([kind]);
});

test('a difference names both sides, and the branch it starts from', () => {
  const [found] = compareTransfer({ id: 't1', transfer: PLANNED, span: null, workflow: RUNS });
  expect(found).toEqual({
    kind: 'transfer-without-span',
    subject: { type: 'transfer', id: 't1' },
    branchId: 'VIE',
    sides: { transfer: PLANNED, calendar: null },
  });
});
