// What the workflow of one deposit knows, and the only place where that changes.
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import {
  type DepositDeadline,
  type DepositState,
  deadlineId,
  nextDeadline,
} from '../../domain/payments/deposit.ts';
import { searchAttributes as keys } from '../../temporal-config/names.ts';

/** What continue-as-new hands to the next run: plain JSON. */
export type DepositCarried = {
  readonly state: DepositState;
  /** Deadlines that were met, which are not met twice. */
  readonly met: readonly string[];
};

export type DepositBook = ReturnType<typeof openDepositBook>;

export function openDepositBook(carried: DepositCarried | null) {
  let state = carried?.state ?? null;
  let met = carried?.met ?? [];
  let changes = 0;
  let shown = '';
  if (state !== null) show(state);

  function show(next: DepositState): void {
    const { current } = next;
    // It stays on a run that ends: nothing else would show that a payment is disputed.
    const isFlagged = next.attention !== null;
    const now = JSON.stringify([isFlagged, current?.validUntil]);
    if (now !== shown) {
      upsertSearchAttributes([
        { key: keys.needsAttention, value: isFlagged },
        { key: keys.dueAt, value: current?.validUntil ? new Date(current.validUntil) : null },
      ]);
    }
    shown = now;
    setCurrentDetails(detailsOf(next));
  }

  return {
    state: () => state,
    /** Rises with every change, for those who wait for one. */
    changes: () => changes,
    isOver: () => state === null || (state.current === null && state.replaced === null),
    carried: (known: DepositState): DepositCarried => ({ state: known, met }),
    nextDeadline: (): DepositDeadline | null => state && nextDeadline(state, met),

    became(next: DepositState): DepositState {
      state = next;
      const holds = [next.current?.id, next.replaced?.id];
      met = met.filter((id) => holds.includes(id.slice(id.indexOf('/') + 1)));
      changes += 1;
      show(next);
      return next;
    },

    met(deadline: DepositDeadline): void {
      met = [...met, deadlineId(deadline)];
    },
  };
}

function detailsOf({ current, replaced, attention }: DepositState): string {
  const rows = [
    ['Hold', current === null ? 'none' : `**${current.amountMinor} ${current.currency}**`],
    ['Valid until', current?.validUntil ?? ''],
    ...(replaced === null ? [] : [['To be released', `\`${replaced.id}\``]]),
    ...(attention === null ? [] : [['Needs a person', attention]]),
  ];
  const lines = rows.map(([name, value]) => `| ${name} | ${value} |`);
  return ['| Deposit | |', '|---|---|', ...lines].join('\n');
}
