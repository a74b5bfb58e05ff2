// Erasing a person: contacts at once, the name when no invoice needs it any more, years later.
import {
  CancellationScope,
  condition,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ErasureState } from '../domain/erasure.ts';
import { searchAttributes } from '../temporal-config/names.ts';
import * as messages from './erasure.messages.ts';
import { dbWrite } from './lib/activity-options.ts';
import { beginning } from './lib/beginning.ts';
import { serializer } from './lib/serialize.ts';

const { eraseContacts, eraseName } = proxyActivities<Activities>(dbWrite);

/** Answers the final state, or null when the request was refused. */
export async function erasure(): Promise<ErasureState | null> {
  const opening = beginning<ErasureState>(serializer());
  let state: ErasureState | null = null;

  setHandler(messages.erasureState, () => state, { description: 'How far the erasure is.' });
  setHandler(
    messages.begin,
    (request) =>
      // A promise to a person is not given up because an operator cancels the workflow.
      opening.begin(
        () => state,
        async () => {
          state = await eraseContacts(request);
          show(state);
          return state;
        },
      ),
    { description: "Erases a person's contacts, or says why not." },
  );
  return CancellationScope.nonCancellable(async () => {
    await condition(() => state !== null || opening.refusal() !== null);
    // Every step may find a newer invoice, which keeps the name for longer.
    while (state !== null && state.status !== 'erased') {
      await untilPast(state.keptUntil);
      state = await eraseName({ customerId: state.customerId });
      show(state);
    }
    return state;
  });
}

async function untilPast(instant: string | null): Promise<void> {
  const wait = instant === null ? 0 : Date.parse(instant) - Date.now();
  if (wait > 0) await sleep(wait, { summary: `invoices keep the name until ${instant}` });
}

/** Ids and dates only: the Web UI is no place for a person's details. */
function show(state: ErasureState): void {
  upsertSearchAttributes([{ key: searchAttributes.customerId, value: state.customerId }]);
  const kept = state.keptUntil === null ? 'nothing' : `the name, until ${state.keptUntil}`;
  setCurrentDetails(
    `| Erasure | |\n|---|---|\n| Status | **${state.status}** |\n| Kept | ${kept} |`,
  );
}
