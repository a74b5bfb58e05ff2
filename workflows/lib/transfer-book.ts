// What the workflow of one transfer knows, and the only place where that changes.
import type { ApplicationFailure } from '@temporalio/workflow';
import { DomainError } from '../../domain/errors.ts';
import { nextDeadline, type TransferDeadline, type TransferState } from '../../domain/transfer.ts';
import { answerOf, type RecentCommands, remember } from './recent-commands.ts';
import { openTransferView } from './transfer-view.ts';

/** What continue-as-new hands to the next run: plain JSON. */
export type TransferCarried = {
  readonly state: TransferState;
  readonly recent: RecentCommands<TransferState>;
  readonly problem: string | null;
  /** What the nightly proof has against it; absent in runs from before it had anything. */
  readonly flag?: string | null;
};

/** A timer's command was refused, which nobody expected: a person has to look meanwhile. */
const RETRY_AFTER_MS = 60 * 60_000;

export type TransferBook = ReturnType<typeof openTransferBook>;

export function openTransferBook(carried: TransferCarried | null) {
  let state = carried?.state ?? null;
  let recent = carried?.recent ?? [];
  let problem = carried?.problem ?? null;
  let flag = carried?.flag ?? null;
  let refusal: ApplicationFailure | null = null;
  let pausedUntil = 0;
  let changes = 0;
  const wrong = () => problem ?? flag;
  const show = openTransferView(state && { state, problem: wrong() });
  if (state !== null) show(state, wrong());

  const existing = () => state ?? refuseMissing(refusal !== null);

  return {
    state: () => state,
    existing,
    refusal: () => refusal,
    /** Rises with every change, for those who wait for one. */
    changes: () => changes,
    answered: (commandId: string) => answerOf(recent, commandId),
    carried: (): TransferCarried => {
      const flagged = flag === null ? {} : { flag };
      return { state: existing(), recent, problem, ...flagged };
    },

    /** Null for a transfer that is over. */
    nextDeadline: (): TransferDeadline | null => {
      const deadline = nextDeadline(existing());
      return deadline && { ...deadline, at: Math.max(deadline.at, pausedUntil) };
    },

    refused(reason: ApplicationFailure): void {
      refusal = reason;
    },

    /** The state after a command is also its answer. */
    recorded(commandId: string, next: TransferState, isPeoples: boolean): TransferState {
      state = next;
      // Nobody asks for a timer's answer again; it must not push people's answers out.
      if (isPeoples) recent = remember(recent, commandId, next);
      problem = null;
      pausedUntil = 0;
      changes += 1;
      show(next, wrong());
      return next;
    },

    /** A timer's command failed: a person has to look, and the timer waits. */
    stuck(reason: string, now: number): void {
      problem = reason;
      pausedUntil = now + RETRY_AFTER_MS;
      changes += 1;
      show(existing(), wrong());
    },

    /** The nightly proof's word: shown until it takes it back, whatever happens meanwhile. */
    flagged(reason: string | null): void {
      flag = reason;
      if (state !== null) show(state, wrong());
    },
  };
}

/** Throws `invalid-state`: before the transfer is planned, or when it was refused. */
function refuseMissing(isRefused: boolean): never {
  throw new DomainError(
    'invalid-state',
    isRefused ? 'This transfer was refused.' : 'This transfer is not planned yet.',
  );
}
