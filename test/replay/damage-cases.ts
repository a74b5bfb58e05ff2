// One story for each path through a damage case: what replay's histories of it are recorded from.
import { WithStartWorkflowOperation } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RecordDamage } from '../../activities/damage-cases.ts';
import type { Activities } from '../../activities/index.ts';
import {
  type CaseReport,
  type CaseState,
  hoursAfter,
  type Waive,
} from '../../domain/damage-case.ts';
import { damageCharge } from '../../domain/damage-charge.ts';
import { damageCaseStartOptions } from '../../temporal-config/starts.ts';
import * as messages from '../../workflows/damage-case.messages.ts';
import type { damageCase } from '../../workflows/damage-case.ts';
import { type Desk, envelope } from '../support/workflow-desk.ts';

const HOUR_MS = 3_600_000;
const LOSS = { repairMinor: 80_000, lossOfUseMinor: 12_000, adminMinor: 5_000, diminutionMinor: 0 };
const ESTIMATE = { ...LOSS, exclusion: null, workOrderRef: null };
const COMPENSATION = {
  exclusion: null,
  capMinor: null,
  vatClass: 'compensation',
  vatRateBp: 0,
} as const;

export type ToldCase = { readonly id: string; readonly now: number };
type Effects = Pick<Activities, 'reportDamage' | 'recordDamage'>;
type Step = (context: {
  readonly handle: ReturnType<typeof handleOf>;
  readonly sleep: TestWorkflowEnvironment['sleep'];
}) => Promise<unknown>;

export type CaseStory = {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly isRefused?: boolean;
  readonly maxHistoryLength?: number;
};

const estimates: Step = ({ handle }) =>
  handle.executeUpdate(messages.estimate, { args: [envelope('c-estimate', ESTIMATE)] });
const agrees: Step = ({ handle }) =>
  handle.executeUpdate(messages.agree, { args: [envelope('c-agree', {})] });
const disputes: Step = ({ handle }) =>
  handle.executeUpdate(messages.dispute, { args: [envelope('c-dispute', { reason: 'amount' })] });
const charges: Step = ({ handle }) =>
  handle.executeUpdate(messages.charge, { args: [envelope('c-charge', {})] });
const WAIVER: Waive = { reason: 'goodwill', approvalId: null, limitMinor: 100_000 };
const waives: Step = ({ handle }) =>
  handle.executeUpdate(messages.waive, { args: [envelope('c-waive', WAIVER)] });
const settles: Step = ({ handle }) =>
  handle.executeUpdate(messages.settle, { args: [envelope('c-settle', {})] });
const waits =
  (hours: number): Step =>
  ({ sleep }) =>
    sleep(hours * HOUR_MS + 60_000);

export const CASES: readonly CaseStory[] = [
  { name: 'charged', steps: [estimates, agrees, charges, settles] },
  { name: 'nobody-answers', steps: [waits(72), estimates, waits(336), disputes, waives, settles] },
  { name: 'continued', steps: [estimates, agrees, charges, settles], maxHistoryLength: 20 },
  { name: 'refused', steps: [], isRefused: true },
];

export function wantedCase({ id }: ToldCase): CaseReport {
  const rentalId = '01990000-0000-7000-8000-0000000000bb';
  return { id, rentalId, inspectionId: '01990000-0000-7000-8000-0000000000cc', items: null };
}

/** What the database would answer; each command brings the next version. */
export function caseEffects(
  story: CaseStory,
  told: ToldCase,
  clock: () => Promise<number>,
): Effects {
  let state = reportedState(told);
  const now = async () => new Date(await clock()).toISOString();
  return {
    reportDamage: async () => {
      if (story.isRefused) throw ApplicationFailure.nonRetryable('Old.', 'pre-existing-damage');
      return state;
    },
    recordDamage: async ({ command }: RecordDamage) => {
      state = { ...state, ...became(state, command, await now()), version: state.version + 1 };
      return state;
    },
  };
}

function became(
  state: CaseState,
  command: RecordDamage['command'],
  now: string,
): Partial<CaseState> {
  switch (command.type) {
    case 'estimate': {
      const charge = damageCharge(LOSS, { ...COMPENSATION, excessMinor: 50_000 });
      const answerDueAt = hoursAfter(now, 336);
      return { status: 'estimated', attention: null, loss: LOSS, charge, answerDueAt };
    }
    case 'agree':
      return { status: 'agreed', attention: null };
    case 'dispute': {
      const { reason: disputeReason } = command;
      const answerDueAt = hoursAfter(now, 336);
      return { status: 'disputed', attention: null, disputeReason, answerDueAt };
    }
    case 'charge':
      return { status: 'charged', invoiceId: state.id, invoiceNumber: 'DMG-2027-000001' };
    case 'waive':
      return { status: 'waived', attention: null, waiveReason: command.reason };
    case 'settle':
      return { status: 'settled' };
    case 'markDue':
      return { attention: state.status === 'reported' ? 'estimate-due' : 'answer-due' };
    default:
      return {};
  }
}

function reportedState(told: ToldCase): CaseState {
  const { id, rentalId, inspectionId } = wantedCase(told);
  const estimateDueAt = hoursAfter(new Date(told.now).toISOString(), 72);
  return {
    ...{ id, rentalId, inspectionId, status: 'reported', severity: 'minor', currency: 'EUR' },
    ...{ vehicleId: '01990000-0000-7000-8000-0000000000aa', branchId: 'VIE' },
    ...{ loss: null, exclusion: null, charge: null, workOrderRef: null, disputeReason: null },
    ...{ waiveReason: null, insurerMinor: null, insurerPosted: false, invoiceId: null },
    ...{ invoiceNumber: null, estimateDueAt, answerDueAt: null, attention: null },
    ...{ repairedAt: null, held: false, version: 1 },
  };
}

function handleOf({ client }: Desk, id: string) {
  return client.workflow.getHandle<typeof damageCase>(`damage-case/${id}`);
}

/** Plays the story to its end; answers the workflow, its first run and how it ended. */
export async function tellCase(
  desk: Desk,
  story: CaseStory,
  told: ToldCase,
  sleep: TestWorkflowEnvironment['sleep'],
) {
  const { maxHistoryLength = 5_000 } = story;
  const start = new WithStartWorkflowOperation<typeof damageCase>(
    'damageCase',
    damageCaseStartOptions(told.id, { taskQueue: desk.taskQueue, maxHistoryLength }),
  );
  const asked = desk.client.workflow.executeUpdateWithStart(messages.report, {
    args: [envelope('c-report', wantedCase(told))],
    updateId: 'c-report',
    startWorkflowOperation: start,
  });
  await (story.isRefused ? asked.catch(() => undefined) : asked);
  const handle = handleOf(desk, told.id);
  const { runId } = await handle.describe();
  for (const step of story.steps) await step({ handle, sleep });
  const ended = await handle.result();
  return { handle, firstRun: runId, ended };
}
