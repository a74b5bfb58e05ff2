// A recall: vehicles are held, bookings moved, renters told, and again when the deadline has come.
import {
  CancellationScope,
  condition,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { RecallState } from '../domain/recall.ts';
import { manyRows } from './lib/activity-options.ts';
import { beginning } from './lib/beginning.ts';
import { tellRentals } from './lib/reassignments.ts';
import { serializer } from './lib/serialize.ts';
import * as messages from './recall.messages.ts';

const { openRecall, clearRecalled, notifyRenters, groundRecall } =
  proxyActivities<Activities>(manyRows);

/** Answers the final state, or null when the notice was refused. */
export async function recall(): Promise<RecallState | null> {
  const opening = beginning<RecallState>(serializer());
  let state: RecallState | null = null;

  setHandler(messages.recallState, () => state, { description: 'How far the recall is.' });
  setHandler(
    messages.open,
    (notice) =>
      // What the law demands is not given up because an operator cancels the workflow.
      opening.begin(
        () => state,
        async () => {
          state = await openRecall(notice);
          show(state);
          return state;
        },
      ),
    { description: 'Enters a notice and holds the vehicles that it means, or says why not.' },
  );
  return CancellationScope.nonCancellable(async () => {
    await condition(() => state !== null || opening.refusal() !== null);
    if (state === null) return null;
    const { recallId, hardAt } = state;
    await clear(recallId);
    // A mail server that is down must not keep the deadline waiting.
    const told = notifyRenters({ recallId });
    const grounded = hardAt === null ? state : untilPast(hardAt).then(() => ground(recallId));
    [state] = await Promise.all([grounded, told]);
    // Who took one between the notice and the deadline has to know as well.
    if (hardAt !== null) await notifyRenters({ recallId });
    return state;
  });
}

async function untilPast(instant: string): Promise<void> {
  const wait = Date.parse(instant) - Date.now();
  if (wait > 0) await sleep(wait, { summary: `vehicles may be rented until ${instant}` });
}

async function ground(recallId: string): Promise<RecallState> {
  const state = await groundRecall({ recallId });
  show(state);
  await clear(recallId);
  return state;
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
