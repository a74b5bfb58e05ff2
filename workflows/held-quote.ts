// A quote that keeps a vehicle: held at once, and given back when its time is over or it is released.
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { Actor } from '../domain/actor.ts';
import type { HeldQuote } from '../domain/held-quote.ts';
import { searchAttributes } from '../temporal-config/names.ts';
import * as messages from './held-quote.messages.ts';
import { dbWrite, dbWriteAtOnce } from './lib/activity-options.ts';
import { beginning } from './lib/beginning.ts';
import { wokenWithin } from './lib/deadline.ts';
import { tellRentals } from './lib/reassignments.ts';
import { unwrapped } from './lib/refusal.ts';
import { serializer } from './lib/serialize.ts';

// At once, in the worker that has the task: somebody waits for the answer.
const local = proxyLocalActivities<Activities>(dbWriteAtOnce);
const { endQuote } = proxyActivities<Activities>(dbWrite);

const SYSTEM: Actor = { kind: 'system', id: 'held-quote' };

/** Answers the quote as it ended, or null when none could be held. */
export async function heldQuote(): Promise<HeldQuote | null> {
  const inTurn = serializer();
  let state: HeldQuote | null = null;
  const opening = beginning<HeldQuote>(inTurn);

  const ended = () => state?.status !== 'held';
  const keep = (next: HeldQuote) => {
    state = next;
    show(next);
    return next;
  };
  const end = async (actor: Actor, status: 'released' | 'expired', quoteId: string) => {
    const { quote, reassigned } = await unwrapped(endQuote({ actor, quoteId, status }));
    await tellRentals(reassigned);
    return keep(quote);
  };

  setHandler(messages.heldQuoteState, () => state, { description: 'The quote as it is now.' });
  setHandler(
    messages.holdQuote,
    (request) =>
      opening.begin(
        () => state,
        async () => keep(await local.holdQuote(request)),
      ),
    { description: 'Keeps a vehicle and a price, or says why not.' },
  );
  setHandler(
    messages.releaseQuote,
    ({ actor }) =>
      inTurn(async () => {
        await condition(() => state !== null || opening.refusal() !== null);
        if (state === null) throw opening.refusal();
        return ended() ? state : end(actor, 'released', state.id);
      }),
    { description: 'Gives the vehicle back.' },
  );
  return CancellationScope.nonCancellable(async () => {
    await condition(() => state !== null || opening.refusal() !== null);
    const held: HeldQuote | null = state;
    if (held !== null) {
      await untilEnded(held, ended);
      // It may have been accepted meanwhile: the row knows, and is answered.
      await inTurn(async () => ended() || end(SYSTEM, 'expired', (held as HeldQuote).id));
    }
    await condition(allHandlersFinished);
    return state;
  });
}

async function untilEnded({ heldUntil }: HeldQuote, ended: () => boolean): Promise<void> {
  const wait = Date.parse(heldUntil) - Date.now();
  if (wait > 0) await wokenWithin(wait, `held until ${heldUntil}`, ended);
}

function show({ branchId, classId, status, heldUntil, pickUpAt }: HeldQuote): void {
  upsertSearchAttributes([{ key: searchAttributes.branchId, value: branchId }]);
  const rows = [
    ['Status', `**${status}**`],
    ['Class, branch', `${classId}, ${branchId}`],
    ['Held until', heldUntil],
    ['Pick-up', pickUpAt],
  ].map(([name, value]) => `| ${name} | ${value} |`);
  setCurrentDetails(['| Held quote | |', '|---|---|', ...rows].join('\n'));
}
