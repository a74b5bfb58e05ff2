// A recall: vehicles are held, bookings moved, renters told, and again when the deadline has come.
import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  proxyActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { DomainError } from '../domain/errors.ts';
import type { RecallState } from '../domain/recall.ts';
import { manyRows } from './lib/activity-options.ts';
import { beginning } from './lib/beginning.ts';
import { wokenWithin } from './lib/deadline.ts';
import { tellRentals } from './lib/reassignments.ts';
import { refusing, unwrapped } from './lib/refusal.ts';
import { serializer } from './lib/serialize.ts';
import * as messages from './recall.messages.ts';
import type { Envelope } from './rental.messages.ts';

const { openRecall, amendRecall, clearRecalled, notifyRenters, groundRecall } =
  proxyActivities<Activities>(manyRows);

/** Answers the final state, or null when the notice was refused. */
export async function recall(): Promise<RecallState | null> {
  const inTurn = serializer();
  const opening = beginning<RecallState>(inTurn);
  let state: RecallState | null = null;
  const write = (next: RecallState) => {
    state = next;
    show(next);
    return next;
  };

  setHandler(messages.recallState, () => state, { description: 'How far the recall is.' });
  setHandler(
    messages.open,
    (notice) =>
      // What the law demands is not given up because an operator cancels the workflow.
      opening.begin(
        () => state,
        async () => write(await openRecall(notice)),
      ),
    { description: 'Enters a notice and holds the vehicles that it means, or says why not.' },
  );
  setHandler(
    messages.amend,
    (change) => inTurn(async () => write(await unwrapped(amendRecall(change)))),
    {
      description: 'Another deadline or remedy, or why not.',
      validator: (_change: Envelope<messages.AmendRecall>) => refuseUnopened(state),
    },
  );
  return CancellationScope.nonCancellable(async () => {
    await condition(() => state !== null || opening.refusal() !== null);
    if (state === null) return null;
    const { recallId, hardAt } = state;
    await clear(recallId);
    // A mail server that is down must not keep the deadline waiting.
    const told = notifyRenters({ recallId });
    const grounded =
      hardAt === null ? state : untilGrounded(recallId, { read: () => state, write });
    const [last] = await Promise.all([grounded, told]);
    state = last;
    // Who took one between the notice and the deadline has to know as well.
    if (hardAt !== null) await notifyRenters({ recallId });
    await condition(allHandlersFinished);
    return state;
  });
}

/** Whoever changes it must have read it. */
function refuseUnopened(state: RecallState | null): void {
  if (state !== null) return;
  refusing(() => {
    throw new DomainError('invalid-state', 'The recall is being entered.', {});
  });
}

type Known = {
  readonly read: () => RecallState | null;
  readonly write: (state: RecallState) => RecallState;
};

/** The deadline may be moved while it is waited for. */
async function untilGrounded(recallId: string, known: Known): Promise<RecallState> {
  for (;;) {
    const { hardAt = null } = known.read() ?? {};
    if (hardAt === null) throw ApplicationFailure.nonRetryable('The recall lost its deadline.');
    const isMoved = () => known.read()?.hardAt !== hardAt;
    const wait = Date.parse(hardAt) - Date.now();
    const summary = `vehicles may be rented until ${hardAt}`;
    if (wait > 0 && (await wokenWithin(wait, summary, isMoved))) continue;
    const state = known.write(await groundRecall({ recallId }));
    if (state.status !== 'grounded') continue;
    await clear(recallId);
    return state;
  }
}

/** Bookings go to other vehicles, and their rentals hear of it. */
async function clear(recallId: string): Promise<void> {
  await tellRentals(await clearRecalled({ recallId }));
}

function show({ status, vehicles, hardAt }: RecallState): void {
  const until = hardAt === null ? 'no' : `from ${hardAt}`;
  setCurrentDetails(
    `| Recall | |\n|---|---|\n| Status | **${status}** |\n| Vehicles | ${vehicles} |\n` +
      `| Blocked | ${until} |`,
  );
}
