// One story for each path through a held quote: what replay's histories of it are recorded from.
import { WithStartWorkflowOperation } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities/index.ts';
import type { HeldQuote, QuoteHold, QuoteStatus } from '../../domain/held-quote.ts';
import { quote } from '../../domain/pricing.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';
import { quoteStartOptions } from '../../temporal-config/starts.ts';
import { holdQuote, releaseQuote } from '../../workflows/held-quote.messages.ts';
import type { heldQuote } from '../../workflows/held-quote.ts';
import { type Desk, envelope } from '../support/workflow-desk.ts';

const HOUR_MS = 3_600_000;
const HELD_MS = HOUR_MS / 4;
/** Another rental, which does not exist here: telling it fails, and that is part of the path. */
const ELSEWHERE = { rentalId: '01990000-0000-7000-8000-0000000000ff', vehicleId: null };

export type QuoteStory = {
  readonly name: string;
  readonly effects: (told: Told) => Pick<Activities, 'holdQuote' | 'endQuote'>;
  readonly isReleased?: boolean;
};

type Told = { readonly id: string; readonly now: number };

export function wantedQuote({ id, now }: Told): QuoteHold {
  return {
    id,
    branchId: 'VIE',
    classId: 'CDMR',
    customerId: null,
    channel: 'online',
    pickUpAt: new Date(now + 24 * HOUR_MS).toISOString(),
    dueAt: new Date(now + 48 * HOUR_MS).toISOString(),
  };
}

function state(told: Told, status: QuoteStatus): HeldQuote {
  const wanted = wantedQuote(told);
  return {
    ...wanted,
    returnBranchId: wanted.branchId,
    status,
    heldUntil: new Date(told.now + HELD_MS).toISOString(),
    price: quote({ plan: GOLD_1, pickUpAt: wanted.pickUpAt, returnAt: wanted.dueAt }),
    rentalId: status === 'accepted' ? ELSEWHERE.rentalId : null,
    version: status === 'held' ? 1 : 2,
  };
}

export const HELD_QUOTES: readonly QuoteStory[] = [
  {
    name: 'expired',
    effects: (told) => ({
      holdQuote: async () => state(told, 'held'),
      endQuote: async () => ({ quote: state(told, 'expired'), reassigned: [ELSEWHERE] }),
    }),
  },
  {
    name: 'released',
    isReleased: true,
    effects: (told) => ({
      holdQuote: async () => state(told, 'held'),
      endQuote: async () => ({ quote: state(told, 'released'), reassigned: [] }),
    }),
  },
  {
    name: 'accepted',
    effects: (told) => ({
      holdQuote: async () => state(told, 'held'),
      endQuote: async () => ({ quote: state(told, 'accepted'), reassigned: [] }),
    }),
  },
  {
    name: 'refused',
    effects: (told) => ({
      holdQuote: async () => {
        throw ApplicationFailure.nonRetryable('None is free.', 'vehicle-unavailable');
      },
      endQuote: async () => ({ quote: state(told, 'expired'), reassigned: [] }),
    }),
  },
];

/** Asks for it and waits for its end; answers the workflow. */
export async function tellQuote(
  { client, taskQueue }: Desk,
  story: QuoteStory,
  told: Told,
  sleep: TestWorkflowEnvironment['sleep'],
) {
  const start = new WithStartWorkflowOperation<typeof heldQuote>(
    'heldQuote',
    quoteStartOptions(told.id, taskQueue),
  );
  await client.workflow
    .executeUpdateWithStart(holdQuote, {
      args: [envelope('c-hold', wantedQuote(told))],
      updateId: 'c-hold',
      startWorkflowOperation: start,
    })
    .catch((error: unknown) => {
      if (story.name !== 'refused') throw error;
    });
  const handle = client.workflow.getHandle<typeof heldQuote>(`quote/${told.id}`);
  if (story.isReleased) {
    await handle.executeUpdate(releaseQuote, { args: [envelope('c-release', {})] });
  } else if (story.name !== 'refused') await sleep(HELD_MS + 1_000);
  await handle.result();
  return handle;
}
