// What the workflow of one rental knows, and the only place where that changes.
import {
  type ApplicationFailure,
  setCurrentDetails,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { DomainError } from '../../domain/errors.ts';
import {
  evolve,
  type RentalOutcome,
  type RentalRequest,
  type RentalState,
} from '../../domain/rental.ts';
import { answerOf, type RecentCommands, remember } from './recent-commands.ts';
import { NO_TIMERS, paused, type Timers, timersAfter } from './rental-deadlines.ts';
import { changedAttributes, detailsOf, refusedView, type View, viewOf } from './rental-view.ts';

/** What continue-as-new hands to the next run: plain JSON, without personal data. */
export type Carried = {
  readonly state: RentalState;
  readonly recent: RecentCommands<RentalState>;
  readonly timers: Timers;
  readonly problem: string | null;
};

export type RentalBook = ReturnType<typeof openBook>;

export function openBook(carried: Carried | null) {
  let state = carried?.state ?? null;
  let recent = carried?.recent ?? [];
  let timers = carried?.timers ?? NO_TIMERS;
  let problem = carried?.problem ?? null;
  let refusal: ApplicationFailure | null = null;
  let early: { readonly vehicleId: string | null } | null = null;
  let changes = 0;
  // Search attributes outlive continue-as-new, current details do not.
  const display = openDisplay(state === null ? null : viewOf(state, problem !== null));
  if (state !== null) show(state);

  function show(next: RentalState): void {
    state = next;
    changes += 1;
    display(viewOf(next, problem !== null), detailsOf(next, problem));
  }

  function existing(): RentalState {
    if (state !== null) return state;
    const status = refusal === null ? 'requested' : 'refused';
    throw new DomainError('invalid-state', `The rental is ${status}.`, { rentalStatus: status });
  }

  function settle(commandId: string, next: RentalState, isPeoples = true): RentalState {
    problem = null;
    // Nobody asks for a timer's answer again; it must not push people's answers out.
    if (isPeoples) recent = remember(recent, commandId, next);
    show(next);
    return next;
  }

  return {
    state: () => state,
    /** Throws DomainError `invalid-state` before the rental is reserved, or when it was refused. */
    existing,
    timers: () => timers,
    refusal: () => refusal,
    /** Rises with every change, for those who wait for one. */
    changes: () => changes,
    answered: (commandId: string) => answerOf(recent, commandId),
    carried: (): Carried => ({ state: existing(), recent, timers, problem }),

    reserved(commandId: string, next: RentalState): RentalState {
      return settle(commandId, early === null ? next : { ...next, ...early });
    },

    refused(request: RentalRequest, reason: ApplicationFailure): void {
      refusal = reason;
      changes += 1;
      display(refusedView(request), `**refused**: ${reason.type}`);
    },

    /** The outcome of a command becomes the next state, which is also the command's answer. */
    recorded(commandId: string, outcome: RentalOutcome, now: number): RentalState {
      // From the state of now: the vehicle may have changed while the command was carried out.
      const next = evolve(existing(), outcome);
      timers = timersAfter(timers, outcome, next, now);
      return settle(commandId, next, !isTimed(outcome.type));
    },

    /** False when the news is of no use any more. */
    reassigned(vehicle: { readonly vehicleId: string | null }): boolean {
      if (state === null) {
        // The database was faster than the answer of `reserve`.
        early = vehicle;
        return true;
      }
      if (state.status !== 'reserved') return false;
      show({ ...state, vehicleId: vehicle.vehicleId });
      return true;
    },

    /** A timer's command failed: a person has to look, and the timer waits. */
    stuck(reason: string, now: number): void {
      problem = reason;
      timers = paused(timers, now);
      show(existing());
    },
  };
}

/** Shows what is new; `shown` is what the server has already. */
function openDisplay(shown: View | null): (view: View, details: string) => void {
  let before = shown;
  return (view, details) => {
    const pairs = changedAttributes(before, view);
    if (pairs.length > 0) upsertSearchAttributes(pairs);
    setCurrentDetails(details);
    before = view;
  };
}

function isTimed(outcome: RentalOutcome['type']): boolean {
  return ['noShow', 'reminded', 'overdueMarked', 'closed'].includes(outcome);
}
