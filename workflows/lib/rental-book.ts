// What the workflow of one rental knows, and the only place where that changes.
import { type ApplicationFailure, patched } from '@temporalio/workflow';
import { DomainError } from '../../domain/errors.ts';
import type { RentalOutcome, RentalRequest, RentalState } from '../../domain/rental.ts';
import type { HandoverDoubt } from '../../domain/rental-attention.ts';
import type { Reassigned } from '../rental.messages.ts';
import { answerOf, type RecentCommands, remember } from './recent-commands.ts';
import {
  afterReassignment,
  NO_TIMERS,
  nextDeadline,
  type Timers,
  timersAfter,
} from './rental-deadlines.ts';
import { hasLadder, openDisplay } from './rental-display.ts';
import { type Heard, openNews } from './rental-news.ts';
import { isTimed, paused } from './rental-pauses.ts';

/** What continue-as-new hands to the next run: plain JSON, without personal data. */
export type Carried = {
  readonly state: RentalState;
  readonly recent: RecentCommands<RentalState>;
  readonly timers: Timers;
  readonly problem: string | null;
  /** What the nightly proof has against it; absent in runs from before it had anything. */
  readonly flag?: string | null;
  /** Handovers that the hours of a branch do not suit any more; absent without any. */
  readonly doubts?: readonly HandoverDoubt[];
} & Heard;

/** What is known as a command sets out; what comes later is news to its outcome. */
type Before = { readonly heard: number; readonly doubts: readonly HandoverDoubt[] };
type Known = Pick<Carried, 'recent' | 'timers'> & { readonly state: RentalState | null };

export type RentalBook = ReturnType<typeof openBook>;

export function openBook(carried: Carried | null) {
  let { state, recent, timers }: Known = carried ?? { state: null, recent: [], timers: NO_TIMERS };
  const { troubles, ...display } = openDisplay(carried);
  const news = openNews(carried);
  let refusal: ApplicationFailure | null = null;
  let changes = 0;

  function show(next: RentalState): void {
    state = next;
    changes += 1;
    display.show(next);
  }

  const also = () => ({ ...troubles.carried(), ...news.carried() });
  const existing = () => state ?? refuseMissing(refusal !== null);

  function settle(commandId: string, next: RentalState, isPeoples = true): RentalState {
    if (timers.paused === undefined) troubles.stuck(null); // else another one waits
    if (isPeoples) recent = remember(recent, commandId, next);
    show(next);
    return next;
  }

  return {
    state: () => state,
    existing,
    nextDeadline: () => nextDeadline(existing(), timers, hasLadder(existing())),
    refusal: () => refusal,
    /** Rises with every change, for those who wait for one. */
    changes: () => changes,
    answered: (commandId: string) => answerOf(recent, commandId),
    carried: (): Carried => ({ state: existing(), recent, timers, ...also() }),
    known: () => ({ heard: news.heard(), doubts: troubles.doubts() }),

    reserved(commandId: string, next: RentalState): RentalState {
      return settle(commandId, { ...next, ...news.early() });
    },

    refused(request: RentalRequest, reason: ApplicationFailure): void {
      refusal = reason;
      changes += 1;
      display.refused(request, reason.type ?? 'unknown');
    },

    /** The outcome of a command becomes the next state, which is also the command's answer. */
    recorded(id: string, outcome: RentalOutcome, now: number, before: Before): RentalState {
      // From the state of now: the vehicle may have changed while the command was carried out.
      const next = news.after(notBehind(existing(), outcome), outcome, before.heard);
      troubles.after(outcome, before.doubts);
      timers = timersAfter(timers, outcome, next, now);
      return settle(id, next, !isTimed(outcome.type));
    },

    /** False when the news is of no use any more. */
    reassigned(said: Reassigned): boolean {
      const age = news.hear(said, state);
      if (age !== 'new' || state === null) return age === 'known';
      timers = afterReassignment(timers, said);
      show({ ...state, vehicleId: said.vehicleId });
      return true;
    },

    /** What others have against it: shown until they take it back, whatever happens meanwhile. */
    told(about: (trouble: typeof troubles) => void): void {
      about(troubles);
      if (state !== null) show(state);
    },

    /** The clock alone made it somebody's concern, or what was waited for is over. */
    timed(change: (before: Timers) => Timers): void {
      timers = change(timers);
      show(existing());
    },

    /** A timer's command failed: it waits, and a person has to look unless it says until when. */
    stuck(reason: string, id: string, now: number, until: string | null): void {
      troubles.failed(reason, until);
      timers = paused(timers, until || patched('pause-per-deadline') ? id : null, now, until);
      show(existing());
    },
  };
}

/** Throws `version-conflict` for what was done long ago: answered once more, it turns nothing back. */
function notBehind(state: RentalState, { version }: RentalOutcome): RentalState {
  if (version >= state.version) return state;
  throw new DomainError('version-conflict', 'This was done before, and is not done again.', {
    version: state.version,
  });
}

/** Throws `invalid-state`: before the rental is reserved, or when it was refused. */
function refuseMissing(isRefused: boolean): never {
  const status = isRefused ? 'refused' : 'requested';
  throw new DomainError('invalid-state', `The rental is ${status}.`, { rentalStatus: status });
}
