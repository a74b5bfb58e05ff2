// One story for each path through an erasure: what replay's histories of it are recorded from.
import { WithStartWorkflowOperation } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities/index.ts';
import type { ErasureState } from '../../domain/erasure.ts';
import { erasureStartOptions } from '../../temporal-config/starts.ts';
import { begin } from '../../workflows/erasure.messages.ts';
import type { erasure } from '../../workflows/erasure.ts';
import { type Desk, envelope } from '../support/workflow-desk.ts';

const YEAR_MS = 366 * 24 * 3_600_000;

export type ErasureStory = {
  readonly name: string;
  readonly effects: (told: Told) => Pick<Activities, 'eraseContacts' | 'eraseName'>;
  /** Over which the story is told; a refusal needs no time. */
  readonly years: number;
};

type Told = { readonly customerId: string; readonly now: number };

function state(
  { customerId }: Told,
  status: ErasureState['status'],
  keptUntil: number | null = null,
): ErasureState {
  const until = keptUntil === null ? null : new Date(keptUntil).toISOString();
  return { customerId, status, keptUntil: until };
}

export const ERASURES: readonly ErasureStory[] = [
  {
    name: 'at-once',
    years: 0,
    effects: (told) => ({
      eraseContacts: async () => state(told, 'contacts-erased'),
      eraseName: async () => state(told, 'erased'),
    }),
  },
  {
    name: 'kept-by-invoices',
    years: 3,
    effects: (told) => {
      const until = [told.now + 2 * YEAR_MS, null];
      return {
        eraseContacts: async () => state(told, 'contacts-erased', told.now + YEAR_MS),
        eraseName: async () => {
          const kept = until.shift() ?? null;
          return state(told, kept === null ? 'erased' : 'contacts-erased', kept);
        },
      };
    },
  },
  {
    name: 'refused',
    years: 0,
    effects: (told) => ({
      eraseContacts: async () => {
        throw ApplicationFailure.nonRetryable('A rental is open.', 'resource-in-use');
      },
      eraseName: async () => state(told, 'erased'),
    }),
  },
];

/** Asks for it and waits for its end; answers the workflow. */
export async function tellErasure(
  { client, taskQueue }: Desk,
  story: ErasureStory,
  { customerId }: Told,
  sleep: TestWorkflowEnvironment['sleep'],
) {
  const start = new WithStartWorkflowOperation<typeof erasure>(
    'erasure',
    erasureStartOptions(customerId, taskQueue),
  );
  const command = { customerId, approvalId: '01990000-0000-7000-8000-0000000000aa' };
  await client.workflow
    .executeUpdateWithStart(begin, {
      args: [envelope('c-erase', command)],
      updateId: 'c-erase',
      startWorkflowOperation: start,
    })
    .catch((error: unknown) => {
      if (story.name !== 'refused') throw error;
    });
  if (story.years > 0) await sleep(story.years * YEAR_MS);
  const handle = client.workflow.getHandle<typeof erasure>(`erasure/${customerId}`);
  await handle.result();
  return handle;
}
