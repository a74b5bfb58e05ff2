// Stories of what a desk does beyond the plain course of a rental: histories are recorded from them.
import { WithStartWorkflowOperation } from '@temporalio/client';
import { depositStartOptions, rentalResumeOptions } from '../../temporal-config/starts.ts';
import {
  announceReturn,
  checkIn,
  checkOut,
  depositAnswered,
  exchange,
  extend,
  reinstate,
  swap,
  undoCheckOut,
  vehicleReassigned,
} from '../../workflows/rental.messages.ts';
import type { rental } from '../../workflows/rental.ts';
import { type FakeOptions, refusal, VEHICLE } from '../support/rental-fakes.ts';
import { envelope } from '../support/workflow-desk.ts';
import type { Scenario } from './scenarios.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const KEYS = { odometerKm: 10_000, fuelEighths: 8 };
const OUT = envelope('c-out', KEYS);
const BACK = envelope('c-in', { odometerKm: 10_250, fuelEighths: 6, branchId: 'VIE' });
const ANOTHER = '01990000-0000-7000-8000-00000000000b';

const after = (at: string, ms: number) => new Date(Date.parse(at) + ms).toISOString();

export const DESK_SCENARIOS: readonly Scenario[] = [
  {
    name: 'exchanged',
    story: async (handle) => {
      await handle.executeUpdate(checkOut, { args: [OUT] });
      const reading = { odometerKm: 10_100, fuelEighths: 5, branchId: 'VIE' };
      const swapped = { ...reading, reason: 'breakdown', taken: { vehicleId: ANOTHER } } as const;
      await handle.executeUpdate(exchange, { args: [envelope('c-exchange', swapped)] });
      await handle.executeUpdate(checkIn, { args: [BACK] });
      await handle.result();
    },
  },
  {
    // Before pick-up: another vehicle, then one of a lower class, then what the yard found for it.
    name: 'swapped',
    story: async (handle) => {
      const named = { vehicleId: ANOTHER, reason: 'fleet' } as const;
      await handle.executeUpdate(swap, { args: [envelope('c-swap', named)] });
      const lower = { classId: 'ECAR', consent: 'signed' } as const;
      await handle.executeUpdate(swap, { args: [envelope('c-swap-2', lower)] });
      await handle.signal(vehicleReassigned, { vehicleId: ANOTHER, sequence: 4 });
      await handle.executeUpdate(checkOut, { args: [OUT] });
      await handle.executeUpdate(checkIn, { args: [BACK] });
      await handle.result();
    },
  },
  {
    name: 'check-out-undone',
    story: async (handle) => {
      await handle.executeUpdate(checkOut, { args: [OUT] });
      const undone = { ...KEYS, reason: 'renter' } as const;
      await handle.executeUpdate(undoCheckOut, { args: [envelope('c-undo', undone)] });
      await handle.executeUpdate(checkOut, { args: [envelope('c-out-2', KEYS)] });
      await handle.executeUpdate(checkIn, { args: [BACK] });
      await handle.result();
    },
  },
  {
    name: 'return-announced',
    story: async (handle, { wanted, sleep }) => {
      await handle.executeUpdate(checkOut, { args: [OUT] });
      await sleep(26.5 * HOUR);
      const at = after(wanted.dueAt, 5 * HOUR);
      await handle.executeUpdate(announceReturn, { args: [envelope('c-announce', { at })] });
      await sleep(HOUR);
      await handle.executeUpdate(checkIn, { args: [BACK] });
      await handle.result();
    },
  },
  {
    name: 'walked-up',
    pickUpHours: 0,
    taken: { keys: KEYS },
    story: async (handle) => {
      await handle.executeUpdate(checkIn, { args: [BACK] });
      await handle.result();
    },
  },
  {
    name: 'reinstated',
    story: async (handle, { desk, sleep }) => {
      await sleep(4 * HOUR);
      const gone = await handle.result();
      if (gone === null) throw new Error('It was refused.');
      const options = rentalResumeOptions(gone, desk.taskQueue);
      await desk.client.workflow.executeUpdateWithStart(reinstate, {
        args: [envelope('c-reinstate', {})],
        startWorkflowOperation: new WithStartWorkflowOperation<typeof rental>('rental', options),
      });
      await handle.executeUpdate(checkOut, { args: [OUT] });
      await handle.executeUpdate(checkIn, { args: [BACK] });
      await handle.result();
    },
  },
  {
    // Two documents of cycles, of which the first is paid a day after its term.
    name: 'billed-in-cycles',
    days: 70,
    fakesFor: ({ pickUpAt }) => ({ billing: inCycles(pickUpAt) }),
    story: async (handle, { sleep }) => {
      await handle.executeUpdate(checkOut, { args: [OUT] });
      await sleep(65 * DAY);
      await handle.executeUpdate(checkIn, { args: [BACK] });
      await handle.result();
    },
  },
  {
    name: 'kept-while-prepaid',
    fakesFor: ({ pickUpAt }) => ({
      refuse: (type, attempt) =>
        type === 'noShow' && attempt === 2
          ? refusal('invalid-state', { noShowAt: after(pickUpAt, 8 * HOUR) })
          : undefined,
    }),
    story: async (handle, { sleep }) => {
      await sleep(10 * HOUR);
      await handle.result();
    },
  },
  {
    // The card is asked for more before the extension stands, and for all of it before the end.
    name: 'secured-by-a-card',
    fakes: {
      refuse: (type, attempt) => {
        const [holdMinor, heldMinor] = [80_000, 50_000];
        if (type === 'extend' && attempt === 3) {
          return refusal('deposit-required', { holdMinor, heldMinor });
        }
        return type === 'close' && attempt === 6 ? refusal('deposit-open') : undefined;
      },
    },
    story: async (handle, { desk, wanted }) => {
      // Nobody serves this queue: the signals arrive, and the answers are the story's.
      const queue = { taskQueue: 'nobody', maxHistoryLength: 5_000 };
      const options = depositStartOptions(wanted.id, queue);
      const deposit = await desk.client.workflow.start('deposit', options);
      await handle.executeUpdate(checkOut, { args: [OUT] });
      const longer = envelope('c-extend', { dueAt: after(wanted.dueAt, DAY) });
      const extended = handle.executeUpdate(extend, { args: [longer] });
      await handle.signal(depositAnswered, { askId: 'c-extend', refusal: null });
      await extended;
      await handle.executeUpdate(checkIn, { args: [BACK] });
      await handle.signal(depositAnswered, { askId: 'ended-at-4', refusal: null });
      await handle.result();
      await deposit.terminate();
    },
  },
];

function inCycles(pickUpAt: string): NonNullable<FakeOptions['billing']> {
  const end = (n: number) => after(pickUpAt, n * 30 * DAY);
  let [billed, looks] = [0, 0];
  return ({ type }) => {
    if (type === 'checkOut') {
      return { ...KEYS, type: 'checkedOut', vehicleId: VEHICLE, cycleEndsAt: end(1) };
    }
    if (type === 'billCycle') {
      billed += 1;
      const payableBy = billed === 1 ? after(end(1), 7 * DAY) : null;
      return { type: 'cycleBilled', cycleEndsAt: end(billed + 1), payableBy };
    }
    if (type !== 'checkArrears') return undefined;
    looks += 1;
    const arrears = looks === 1;
    return {
      type: 'arrearsChecked',
      arrears,
      nextCheckAt: arrears ? after(end(1), 8 * DAY) : null,
    };
  };
}
