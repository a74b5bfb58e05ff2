// One story for each path through a recall: what replay's histories of it are recorded from.
import { WithStartWorkflowOperation } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities/index.ts';
import type { RecallChange, RecallNotice, RecallState } from '../../domain/recall.ts';
import { recallStartOptions } from '../../temporal-config/starts.ts';
import { amend, open } from '../../workflows/recall.messages.ts';
import type { recall } from '../../workflows/recall.ts';
import { type Desk, envelope } from '../support/workflow-desk.ts';

const HOUR_MS = 3_600_000;

export type RecallEffects = Pick<
  Activities,
  'openRecall' | 'amendRecall' | 'clearRecalled' | 'notifyRenters' | 'groundRecall'
>;

export type RecallStory = {
  readonly name: string;
  readonly effects: (told: Told) => RecallEffects;
  /** Over which the story is told. */
  readonly hours: number;
  /** What becomes known before. */
  readonly change?: RecallChange;
};

type Told = { readonly recallId: string; readonly now: number };

export const NOTICE: RecallNotice = {
  title: 'Airbag inflator',
  authorityNumber: '26V-311',
  jurisdiction: 'US',
  noticeReceivedAt: '2026-12-01T10:00:00.000Z',
  isSafety: true,
  hasInterimRemedy: false,
  isRemedyAvailable: true,
  scopes: [{ make: 'Skoda', yearFrom: 2024 }],
};

/** A rental that ended meanwhile: nobody hears of its other vehicle. */
const GONE = { rentalId: '01990000-0000-7000-8000-0000000000dd', vehicleId: null };

function state({ recallId, now }: Told, status: RecallState['status'], blocks = true): RecallState {
  const deadlineAt = new Date(now + 24 * HOUR_MS).toISOString();
  return { recallId, status, vehicles: 3, deadlineAt, hardAt: blocks ? deadlineAt : null };
}

function effects(told: Told, opened = state(told, 'noticed')): RecallEffects {
  return {
    openRecall: async () => opened,
    amendRecall: async ({ command }) => {
      const { hardFrom = opened.deadlineAt } = command.change;
      return { ...opened, hardAt: hardFrom };
    },
    clearRecalled: async () => [GONE],
    notifyRenters: async () => ({ notified: 1 }),
    groundRecall: async () => state(told, 'grounded'),
  };
}

function later({ now }: Told): Pick<RecallState, 'deadlineAt' | 'hardAt'> {
  const deadlineAt = new Date(now + 48 * HOUR_MS).toISOString();
  return { deadlineAt, hardAt: deadlineAt };
}

export const RECALLS: readonly RecallStory[] = [
  { name: 'grounded', hours: 25, effects: (told) => effects(told) },
  {
    name: 'interim-remedy',
    hours: 0,
    effects: (told) => effects(told, state(told, 'noticed', false)),
  },
  {
    name: 'refused',
    hours: 0,
    effects: (told) => ({
      ...effects(told),
      openRecall: async () => {
        throw ApplicationFailure.nonRetryable('It exists already.', 'duplicate');
      },
    }),
  },
  {
    name: 'amended',
    hours: 49,
    effects: (told) => ({
      ...effects(told),
      // The deadline is moved by a day, so that the timer of the first one must not ground it.
      amendRecall: async () => ({ ...state(told, 'noticed'), ...later(told) }),
    }),
    change: { remedy: 'New inflator' },
  },
];

export function enterNotice({ client, taskQueue }: Desk, recallId: string): Promise<RecallState> {
  const start = new WithStartWorkflowOperation<typeof recall>(
    'recall',
    recallStartOptions(recallId, taskQueue),
  );
  return client.workflow.executeUpdateWithStart(open, {
    args: [envelope('c-open', { recallId, notice: NOTICE })],
    updateId: 'c-open',
    startWorkflowOperation: start,
  });
}

export function tellChange({ client }: Desk, recallId: string, change: RecallChange) {
  const args = [envelope('c-amend', { recallId, version: 1, change })] as const;
  return client.workflow.getHandle(`recall/${recallId}`).executeUpdate(amend, {
    args: [...args],
    updateId: 'c-amend',
  });
}

/** Enters it and waits for its end; answers the workflow. */
export async function tellRecall(
  desk: Desk,
  story: RecallStory,
  { recallId }: Told,
  sleep: TestWorkflowEnvironment['sleep'],
) {
  await enterNotice(desk, recallId).catch((error: unknown) => {
    if (story.name !== 'refused') throw error;
  });
  if (story.change !== undefined) await tellChange(desk, recallId, story.change);
  if (story.hours > 0) await sleep(story.hours * HOUR_MS);
  const handle = desk.client.workflow.getHandle<typeof recall>(`recall/${recallId}`);
  await handle.result();
  return handle;
}
