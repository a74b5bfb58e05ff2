// One story for each path through a deposit: what replay's histories of it are recorded from.
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities/index.ts';
import type { PaymentOrder } from '../../db/commands/payment-steps.ts';
import type { DepositState, Hold, PaymentStep } from '../../domain/payments/deposit.ts';
import { depositStartOptions } from '../../temporal-config/starts.ts';
import * as messages from '../../workflows/deposit.messages.ts';
import type { deposit } from '../../workflows/deposit.ts';
import { type Desk, envelope, TEST_ACTOR } from '../support/workflow-desk.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CARD = { payer: 'renter', amountMinor: 50_000, paymentMethod: 'card' } as const;

type Effects = Pick<
  Activities,
  'readDeposit' | 'beginPayment' | 'askGateway' | 'settlePayment' | 'markHold'
>;
type Step = (context: {
  readonly handle: ReturnType<typeof handleOf>;
  readonly sleep: TestWorkflowEnvironment['sleep'];
  /** The rows become so behind the workflow's back. */
  readonly told: () => void;
}) => Promise<unknown>;

export type DepositStory = {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly declined?: PaymentStep['kind'];
  readonly maxHistoryLength?: number;
};

const raises =
  (amountMinor: number): Step =>
  ({ handle }) =>
    handle.executeUpdate(messages.increase, {
      args: [envelope(`c-increase-${amountMinor}`, { amountMinor })],
    });
const captures: Step = ({ handle }) =>
  handle.executeUpdate(messages.capture, {
    args: [envelope('c-capture', { amountMinor: 36_000 })],
  });
const releases: Step = ({ handle }) =>
  handle.executeUpdate(messages.release, { args: [envelope('c-release', {})] });
const isEnded: Step = ({ handle, told }) => {
  told();
  return handle.signal(messages.gatewayTold);
};
const waits =
  (hours: number): Step =>
  ({ sleep }) =>
    sleep(hours * HOUR_MS + 60_000);

/** Its rental is to become longer. */
const isAskedFor =
  (amountMinor: number): Step =>
  ({ handle }) =>
    handle.signal(messages.increaseAsked, { askId: 'c-extend', actor: TEST_ACTOR, amountMinor });
const isOver: Step = ({ handle }) =>
  handle.signal(messages.rentalEnded, { askId: 'ended-at-4', actor: TEST_ACTOR });

export const DEPOSITS: readonly DepositStory[] = [
  { name: 'captured', steps: [raises(60_000), captures] },
  { name: 'renewed-and-released', steps: [waits(150), releases] },
  { name: 'not-renewed', steps: [waits(170)], declined: 'renew' },
  { name: 'ended-by-the-gateway', steps: [isEnded] },
  { name: 'asked-by-its-rental', steps: [isAskedFor(60_000), isOver] },
  { name: 'asked-and-declined', steps: [isAskedFor(60_000), isOver], declined: 'raise' },
  { name: 'continued', steps: [raises(60_000), raises(70_000), captures], maxHistoryLength: 40 },
];

/** What database and gateway would answer. */
export function depositEffects(
  story: DepositStory,
  rentalId: string,
  clock: () => Promise<number>,
): { readonly effects: Effects; readonly endAtGateway: () => void } {
  let state: DepositState = {
    ...{ rentalId, current: null, replaced: null },
    ...{ pendingKey: null, attention: null },
  };
  let holds = 0;
  const orders = new Map<string, PaymentStep>();
  const done = { status: 'done', heldAt: null, validUntil: null, overcapturePercent: 0 } as const;
  const effects: Effects = {
    readDeposit: async () => state,
    beginPayment: async ({ key, step }: PaymentOrder) => {
      orders.set(key, step);
      // Nothing was charged in advance.
      return { isAsked: step.kind !== 'pay-back', key };
    },
    askGateway: async ({ key }) =>
      story.declined !== undefined && orders.get(key)?.kind === story.declined
        ? { status: 'declined', code: 'insufficient-funds' }
        : { ...done, ref: 'hold' },
    settlePayment: async ({ key, outcome }) => {
      const step = orders.get(key);
      if (outcome?.status === 'declined') {
        const attention = `not renewed: ${outcome.code}`;
        state = { ...state, attention, current: state.current && { ...state.current, attention } };
        return { deposit: state, declined: outcome.code };
      }
      if (step?.kind === 'authorise' || step?.kind === 'renew') holds += 1;
      if (step) state = became(state, step, holdAt(holds, await clock()));
      return { deposit: state, declined: null };
    },
    markHold: async () => {
      state = { ...state, current: null };
      return state;
    },
  };
  const endAtGateway = () => {
    state = { ...state, current: null, attention: 'ended by the gateway' };
  };
  return { effects, endAtGateway };
}

function became(state: DepositState, step: PaymentStep, next: Hold): DepositState {
  const { current, replaced } = state;
  switch (step.kind) {
    case 'authorise':
    case 'renew':
      return { ...state, current: next, replaced: current && { ...current, replacedBy: next.id } };
    case 'increase':
    case 'raise':
      return { ...state, current: current && { ...current, amountMinor: step.amountMinor } };
    case 'release':
      return step.authorisationId !== undefined && step.authorisationId === replaced?.id
        ? { ...state, replaced: null }
        : { ...state, current: null };
    default:
      return { ...state, current: null };
  }
}

/** Lasts for seven days. */
function holdAt(n: number, now: number): Hold {
  return {
    id: `01990000-0000-7000-8000-0000000000d${n}`,
    ...{ payer: 'renter', state: 'open', amountMinor: CARD.amountMinor, currency: 'EUR' },
    ...{ capturedMinor: 0, refundedMinor: 0, overcapturePercent: 0 },
    openedAt: new Date(now).toISOString(),
    validUntil: new Date(now + 7 * DAY_MS).toISOString(),
    ...{ replacedBy: null, attention: null, version: 1 },
  };
}

function handleOf({ client }: Desk, rentalId: string) {
  return client.workflow.getHandle<typeof deposit>(`deposit/${rentalId}`);
}

/** Plays the story to its end; answers the workflow, its first run and how it ended. */
export async function tellDeposit(
  desk: Desk,
  story: DepositStory,
  { rentalId, endAtGateway }: { readonly rentalId: string; readonly endAtGateway: () => void },
  sleep: TestWorkflowEnvironment['sleep'],
) {
  const { maxHistoryLength = 5_000 } = story;
  const start = new WithStartWorkflowOperation<typeof deposit>(
    'deposit',
    depositStartOptions(rentalId, { taskQueue: desk.taskQueue, maxHistoryLength }),
  );
  await desk.client.workflow.executeUpdateWithStart(messages.authorise, {
    args: [envelope('c-authorise', CARD)],
    updateId: 'c-authorise',
    startWorkflowOperation: start,
  });
  const handle = handleOf(desk, rentalId);
  const { runId } = await handle.describe();
  for (const step of story.steps) await step({ handle, sleep, told: endAtGateway });
  const ended = await handle.result();
  return { handle, firstRun: runId, ended };
}
