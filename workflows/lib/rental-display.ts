// Keeps the Web UI's picture of a rental in step: search attributes, details, and what troubles it.
import { patched, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { RentalOutcome, RentalRequest, RentalState } from '../../domain/rental.ts';
import { type HandoverDoubt, isAhead, isShort } from '../../domain/rental-attention.ts';
import type { HoursChanged } from '../rental.messages.ts';
import { nowIso } from './clock.ts';
import type { Timers } from './rental-deadlines.ts';
import { changedAttributes, detailsOf, refusedView, type View, viewOf } from './rental-view.ts';

/** What continue-as-new carries of it. */
type Picture = {
  readonly state: RentalState;
  readonly timers: Timers;
  readonly problem: string | null;
  readonly flag?: string | null;
  readonly doubts?: readonly HandoverDoubt[];
};

const LONG_AGO = '1970-01-01T00:00:00.000Z';

/** Search attributes outlive continue-as-new, current details do not: `carried` is shown at once. */
export function openDisplay(carried: Picture | null) {
  const troubles = openTroubles(carried);
  let before: View | null = null;

  function show(next: RentalState): void {
    const trouble = troubles.text(next);
    put(viewOf(next, trouble !== null, seenAt(next, nowIso())), detailsOf(next, trouble));
  }

  /** Only what is new. */
  function put(view: View, details: string): void {
    const pairs = changedAttributes(before, view);
    if (pairs.length > 0) upsertSearchAttributes(pairs);
    setCurrentDetails(details);
    before = view;
  }

  if (carried !== null) {
    const { state, timers } = carried;
    // A run that had not looked at the clock may have called no attention.
    const seen = seenAt(state, timers.attended ? nowIso() : LONG_AGO);
    before = viewOf(state, troubles.text(state) !== null, seen);
    show(state);
  }
  return {
    troubles,
    show,
    refused: (request: RentalRequest, type: string) =>
      put(refusedView(request), `**refused**: ${type}`),
  };
}

/** Why a person has to look: a refused timer, what the nightly proof found, or other hours. */
function openTroubles(carried: Picture | null) {
  let problem = carried?.problem ?? null;
  let flag = carried?.flag ?? null;
  let doubts = carried?.doubts ?? [];
  return {
    stuck: (reason: string | null) => {
      problem = reason;
    },
    /** It waits until then, and for damage that is no trouble, whatever there was before. */
    failed: (reason: string, until: string | null) => {
      const isCalm = until !== null && problem !== null && reason.endsWith('damage-open');
      if (until === null) problem = reason;
      else if (isCalm && patched('damage-is-no-trouble')) problem = null;
    },
    flag: (reason: string | null) => {
      flag = reason;
    },
    doubt: ({ handover, at, problem }: HoursChanged) => {
      const others = doubts.filter((one) => one.handover !== handover);
      doubts = problem === null ? others : [...others, { handover, at, problem }];
    },
    doubts: () => doubts,
    /** Placed anew, both handovers are agreed on anew: whoever did it knew of these doubts. */
    after: (outcome: RentalOutcome, known: readonly HandoverDoubt[]) => {
      if (outcome.type !== 'amended' || outcome.vehicleId === undefined) return;
      doubts = doubts.filter((one) => !known.includes(one));
    },
    text: (state: RentalState) => {
      const ahead = doubts.filter((one) => isAhead(one, state));
      const said = ahead.map(
        ({ handover, problem }) => `${handover} outside the hours: ${problem}`,
      );
      return problem ?? flag ?? (said.length === 0 ? null : said.join(', '));
    },
    carried: () => ({ problem, flag, ...(doubts.length === 0 ? {} : { doubts }) }),
  };
}

/** Runs from before the ladder have no timers for it, and called attention at once. */
export function hasLadder(state: RentalState): boolean {
  return isShort(state) && patched('shortage-ladder');
}

function seenAt(state: RentalState, now: string): string {
  return isShort(state) && !patched('shortage-ladder') ? state.pickUpAt : now;
}
