// One story for each path through a rental: what replay's histories are recorded from.
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RentalRequest } from '../../domain/rental.ts';
import {
  amend,
  attentionNeeded,
  cancel,
  checkIn,
  checkOut,
  confirm,
  decline,
  extend,
  hoursChanged,
  vehicleReassigned,
} from '../../workflows/rental.messages.ts';
import { type FakeOptions, VEHICLE } from '../support/rental-fakes.ts';
import { type Desk, envelope } from '../support/workflow-desk.ts';

export type Scenario = {
  readonly name: string;
  readonly fakes?: Omit<FakeOptions, 'now'>;
  /** The same, where they have to know the rental's times. */
  readonly fakesFor?: (wanted: RentalRequest) => Omit<FakeOptions, 'now'>;
  readonly maxHistoryLength?: number;
  /** From now on; left out, one. */
  readonly pickUpHours?: number;
  /** From pick-up on; left out, one. */
  readonly days?: number;
  /** With the rental; left out, nothing. */
  readonly taken?: Partial<RentalRequest>;
  /** Told after the rental was asked for; `refused` ones have no more to tell. */
  readonly story?: (rental: ReturnType<Desk['rental']>, told: Told) => Promise<void>;
};

export type Told = {
  readonly desk: Desk;
  readonly wanted: RentalRequest;
  readonly sleep: TestWorkflowEnvironment['sleep'];
};

const HOUR = 3_600_000;
const OUT = envelope('c-out', { odometerKm: 10_000, fuelEighths: 8 });
const BACK = envelope('c-in', { odometerKm: 10_250, fuelEighths: 6, branchId: 'VIE' });

function later({ wanted }: Told, days: number) {
  const dueAt = new Date(Date.parse(wanted.dueAt) + days * 24 * HOUR).toISOString();
  return envelope(`c-extend-${days}`, { dueAt });
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'reserved' },
  { name: 'refused', fakes: { refuseReserve: 'vehicle-unavailable' } },
  {
    name: 'cancelled',
    story: async (rental) => {
      await rental.executeUpdate(cancel, { args: [envelope('c-1', { reason: 'customer' })] });
      await rental.result();
    },
  },
  {
    name: 'no-show',
    story: async (rental, { sleep }) => {
      await sleep(4 * HOUR);
      await rental.result();
    },
  },
  {
    name: 'closed',
    story: async (rental) => {
      await rental.executeUpdate(checkOut, { args: [OUT] });
      await rental.executeUpdate(checkIn, { args: [BACK] });
      await rental.result();
    },
  },
  {
    name: 'amended-with-extras',
    taken: { coverages: ['cdw'], extras: [{ code: 'item', count: 1 }], promotion: 'spring' },
    story: async (rental, told) => {
      const { pickUpAt } = told.wanted;
      const { dueAt } = later(told, 2).command;
      const change = { pickUpAt, dueAt, classId: 'IDMR', promotion: null };
      await rental.executeUpdate(amend, { args: [envelope('c-amend', change)] });
      await rental.executeUpdate(checkOut, { args: [OUT] });
      await rental.executeUpdate(checkIn, { args: [BACK] });
      await rental.result();
    },
  },
  {
    name: 'extended-and-overdue',
    fakes: { reassigned: (type) => (type === 'markOverdue' ? [ELSEWHERE] : []) },
    story: async (rental, told) => {
      await rental.executeUpdate(checkOut, { args: [OUT] });
      await rental.executeUpdate(extend, { args: [later(told, 1)] });
      await told.sleep(51.5 * HOUR);
      await rental.executeUpdate(checkIn, { args: [BACK] });
      await rental.result();
    },
  },
  {
    name: 'continued',
    maxHistoryLength: 25,
    story: async (rental, told) => {
      await rental.executeUpdate(checkOut, { args: [OUT] });
      for (let days = 1; days <= 3; days += 1) {
        await rental.executeUpdate(extend, { args: [later(told, days)] });
      }
      await rental.executeUpdate(checkOut, { args: [OUT], updateId: 'c-out-again' });
      await rental.executeUpdate(checkIn, { args: [BACK] });
      await rental.result();
    },
  },
  {
    name: 'reassigned',
    story: async (rental) => {
      await rental.signal(vehicleReassigned, { vehicleId: null });
      await rental.signal(vehicleReassigned, { vehicleId: VEHICLE });
      await rental.executeUpdate(checkOut, { args: [OUT] });
    },
  },
  {
    // Without a vehicle from two days before pick-up on: seen, a case, helped, lost, a case again.
    name: 'shortage',
    pickUpHours: 48,
    story: async (rental, { sleep }) => {
      await rental.signal(vehicleReassigned, { vehicleId: null });
      await sleep(46.5 * HOUR);
      await rental.signal(vehicleReassigned, { vehicleId: VEHICLE });
      await rental.signal(vehicleReassigned, { vehicleId: null });
      await sleep(HOUR / 2);
      await rental.executeUpdate(cancel, { args: [envelope('c-1', { reason: 'fleet' })] });
      await rental.result();
    },
  },
  {
    name: 'requested-and-confirmed',
    pickUpHours: 48,
    fakes: { onRequestHours: 24 },
    story: async (rental) => {
      await rental.executeUpdate(confirm, { args: [envelope('c-1', {})] });
      await rental.executeUpdate(checkOut, { args: [OUT] });
      await rental.executeUpdate(checkIn, { args: [BACK] });
      await rental.result();
    },
  },
  {
    name: 'requested-and-declined',
    pickUpHours: 48,
    fakes: { onRequestHours: 24 },
    story: async (rental) => {
      await rental.executeUpdate(decline, { args: [envelope('c-1', { reason: 'no-vehicle' })] });
      await rental.result();
    },
  },
  {
    name: 'request-expired',
    pickUpHours: 48,
    fakes: { onRequestHours: 24 },
    story: async (rental, { sleep }) => {
      await sleep(25 * HOUR);
      await rental.result();
    },
  },
  {
    name: 'flagged',
    story: async (rental) => {
      await rental.signal(attentionNeeded, { reason: 'span-differs' });
      await rental.executeUpdate(checkOut, { args: [OUT] });
      await rental.signal(attentionNeeded, { reason: null });
      await rental.executeUpdate(checkIn, { args: [BACK] });
      await rental.result();
    },
  },
  {
    // The branch closes at both handovers, opens again for the return, and the keys go out.
    name: 'outside-the-hours',
    story: async (rental, { wanted }) => {
      const out = { handover: 'pick-up', at: wanted.pickUpAt } as const;
      const back = { handover: 'return', at: wanted.dueAt } as const;
      await rental.signal(hoursChanged, { ...out, problem: 'closed' });
      await rental.signal(hoursChanged, { ...back, problem: 'fee' });
      await rental.signal(hoursChanged, { ...back, problem: null });
      await rental.executeUpdate(checkOut, { args: [OUT] });
      await rental.executeUpdate(checkIn, { args: [BACK] });
      await rental.result();
    },
  },
  {
    name: 'command-refused-by-the-database',
    fakes: {
      refuse: (type, attempt) => (type === 'checkOut' && attempt === 2 ? 'no-vehicle' : undefined),
    },
    story: async (rental) => {
      await rental.executeUpdate(checkOut, { args: [OUT] }).catch(() => undefined);
      await rental.executeUpdate(checkOut, { args: [{ ...OUT, commandId: 'c-out-2' }] });
    },
  },
  {
    name: 'deadline-refused',
    fakes: {
      refuse: (type, attempt) => (type === 'noShow' && attempt === 2 ? 'not-found' : undefined),
    },
    story: async (rental, { sleep }) => {
      await sleep(5 * HOUR);
      await rental.result();
    },
  },
];

/** Another rental, which does not exist here: telling it fails, and that is part of the path. */
const ELSEWHERE = { rentalId: '01990000-0000-7000-8000-0000000000ff', vehicleId: null };
