// One story for each path through a transfer: what replay's histories of it are recorded from.
import { WithStartWorkflowOperation } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities/index.ts';
import type { RecordTransfer } from '../../activities/transfers.ts';
import {
  KEPT_AHEAD_MS,
  type TransferOutcome,
  type TransferPlan,
  type TransferState,
} from '../../domain/transfer.ts';
import { transferStartOptions } from '../../temporal-config/starts.ts';
import { arrive, cancelTransfer, depart, plan } from '../../workflows/transfer.messages.ts';
import type { transfer } from '../../workflows/transfer.ts';
import { type Desk, envelope } from '../support/workflow-desk.ts';

const HOUR_MS = 3_600_000;
/** A rental that does not exist here: telling it fails, and that is part of the path. */
const ELSEWHERE = { rentalId: '01990000-0000-7000-8000-0000000000ff', vehicleId: null };
const DASH = { odometerKm: 1_000, fuelEighths: 8 };

export type ToldTransfer = { readonly id: string; readonly now: number };
type Effects = Pick<Activities, 'planTransfer' | 'recordTransfer'>;
type Step = (context: {
  readonly handle: ReturnType<typeof handleOf>;
  readonly sleep: TestWorkflowEnvironment['sleep'];
}) => Promise<unknown>;

export type TransferStory = {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly isRefused?: boolean;
  readonly isVoid?: boolean;
  readonly maxHistoryLength?: number;
};

const departs: Step = ({ handle }) =>
  handle.executeUpdate(depart, { args: [envelope('c-depart', DASH)], updateId: 'c-depart' });
const arrives: Step = ({ handle }) =>
  handle.executeUpdate(arrive, { args: [envelope('c-arrive', DASH)], updateId: 'c-arrive' });
const isCancelled: Step = ({ handle }) =>
  handle.executeUpdate(cancelTransfer, { args: [envelope('c-cancel', { reason: 'driver' })] });
const waits =
  (hours: number): Step =>
  ({ sleep }) =>
    sleep(hours * HOUR_MS + 60_000);

export const TRANSFERS: readonly TransferStory[] = [
  { name: 'arrived', steps: [waits(1), departs, waits(2), arrives] },
  { name: 'cancelled', steps: [isCancelled] },
  { name: 'overdue', steps: [waits(1), departs, waits(6), arrives] },
  { name: 'not-departed', steps: [waits(5)] },
  { name: 'void', steps: [waits(2)], isVoid: true },
  { name: 'refused', steps: [], isRefused: true },
  { name: 'continued', steps: [waits(1), departs, waits(9), arrives], maxHistoryLength: 40 },
];

/** Not recorded: the refusal's stack would carry the paths of the machine that records. */
export const VOID_AT_DEPARTURE: TransferStory = {
  name: 'void-at-departure',
  steps: [
    waits(1),
    (at) =>
      departs(at).then(
        () => Promise.reject(new Error('It departed.')),
        () => undefined,
      ),
  ],
  isVoid: true,
};

/** Departs in an hour, and arrives two hours after that. */
export function wantedTransfer({ id, now }: ToldTransfer): TransferPlan {
  return {
    id,
    vehicle: { id: '01990000-0000-7000-8000-0000000000aa' },
    toBranchId: 'GRZ',
    driverId: null,
    departsAt: new Date(now + HOUR_MS).toISOString(),
    arrivesAt: new Date(now + 3 * HOUR_MS).toISOString(),
  };
}

/** What the database would answer; each command brings the next version. */
export function transferEffects(
  story: TransferStory,
  told: ToldTransfer,
  clock: () => Promise<number>,
): Effects {
  let state = plannedState(told);
  const became = (next: Partial<TransferState>, reassigned = [] as const): TransferOutcome => {
    state = { ...state, ...next, version: state.version + 1 };
    return { transfer: state, reassigned };
  };
  return {
    planTransfer: async () => {
      if (story.isRefused) throw ApplicationFailure.nonRetryable('Booked.', 'vehicle-unavailable');
      return { transfer: state, reassigned: [] };
    },
    recordTransfer: async ({ command }: RecordTransfer) => {
      const at = new Date(await clock()).toISOString();
      if (story.isVoid) return became({ status: 'cancelled', cancelReason: 'void' });
      switch (command.type) {
        case 'depart':
          return became({ status: 'under_way', departedAt: at, odometerOutKm: command.odometerKm });
        case 'arrive':
          return became({ status: 'arrived', overdue: false, arrivedAt: at });
        case 'cancel':
          return became({ status: 'cancelled', overdue: false, cancelReason: command.reason });
        default: {
          const isOut = state.status === 'under_way';
          const keptUntil = new Date((await clock()) + KEPT_AHEAD_MS).toISOString();
          const { transfer: marked } = became({
            overdue: true,
            keptUntil: isOut ? keptUntil : null,
          });
          return { transfer: marked, reassigned: [ELSEWHERE] };
        }
      }
    },
  };
}

function plannedState(told: ToldTransfer): TransferState {
  const { vehicle, arrivesAt, ...wanted } = wantedTransfer(told);
  return {
    ...wanted,
    vehicleId: 'id' in vehicle ? vehicle.id : '',
    arrivesAt: arrivesAt ?? '',
    classId: 'CDMR',
    fromBranchId: 'VIE',
    status: 'planned',
    overdue: false,
    keptUntil: null,
    departedAt: null,
    arrivedAt: null,
    odometerOutKm: null,
    odometerInKm: null,
    fuelOutEighths: null,
    fuelInEighths: null,
    cancelReason: null,
    version: 1,
  };
}

function handleOf({ client }: Desk, id: string) {
  return client.workflow.getHandle<typeof transfer>(`transfer/${id}`);
}

/** Plays the story to its end; answers the workflow and its first run. */
export async function tellTransfer(
  desk: Desk,
  story: TransferStory,
  told: ToldTransfer,
  sleep: TestWorkflowEnvironment['sleep'],
) {
  const { maxHistoryLength = 5_000 } = story;
  const start = new WithStartWorkflowOperation<typeof transfer>(
    'transfer',
    transferStartOptions(told.id, { taskQueue: desk.taskQueue, maxHistoryLength }),
  );
  const asked = desk.client.workflow.executeUpdateWithStart(plan, {
    args: [envelope('c-plan', wantedTransfer(told))],
    updateId: 'c-plan',
    startWorkflowOperation: start,
  });
  await (story.isRefused ? asked.catch(() => undefined) : asked);
  const handle = handleOf(desk, told.id);
  const { runId } = await handle.describe();
  for (const step of story.steps) await step({ handle, sleep });
  const ended = await handle.result();
  return { handle, firstRun: runId, ended };
}
