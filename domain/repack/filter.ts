// Filtering: a vehicle that others of one moment cannot do without is struck out of a span's choices.
import { type Board, forbid, isFree, stretchOf } from './board.ts';
import { type Budget, isLate } from './budget.ts';
import type { RepackSpan } from './problem.ts';
import { strikeUnreachable } from './reach.ts';
import type { Timeline } from './timeline.ts';

/** Spans that all take some moment, none of them contained in another; and by span, which these are. */
export type Crowds = {
  readonly members: readonly (readonly number[])[];
  readonly of: readonly (readonly number[])[];
  /** By crowd, once it was looked at: the span that each vehicle last went to, or -1. */
  readonly owners: (Int32Array | undefined)[];
};

/** A vehicle that a span may not have any more; `allow` takes it back. */
export type Struck = readonly [span: number, vehicle: number];

export type Filtering = {
  readonly board: Board;
  readonly line: Timeline;
  readonly crowds: Crowds;
  readonly budget: Budget;
};

export function crowdsOf(spans: readonly RepackSpan[]): Crowds {
  const order = spans.map((span, index) => ({ ...span, index })).sort((a, b) => a.from - b.from);
  const members: number[][] = [];
  let present: typeof order = [];
  for (const [place, span] of order.entries()) {
    present = [...present.filter(({ to }) => to > span.from), span];
    const next = order[place + 1];
    // Who comes before anybody leaves belongs to the same crowd.
    if (next !== undefined && present.every(({ to }) => to > next.from)) continue;
    members.push(present.map(({ index }) => index));
  }
  const of: number[][] = spans.map(() => []);
  for (const [crowd, each] of members.entries()) for (const span of each) of[span]?.push(crowd);
  return { members, of, owners: [] };
}

/**
 * Strikes out until nothing changes, beginning with the crowds of `changed` and with `stretches`;
 * adds to `struck` what the caller has to allow again. False when some crowd cannot all be served,
 * or some vehicle has no way: a dead end. Stops half-way when the budget ends, which only leaves
 * more choices than need be. All-different constraints, one a crowd, made consistent as by Régin
 * (AAAI 1994), and the ways of the vehicles, in turns.
 */
export function filter(
  filtering: Filtering,
  changed: Iterable<number>,
  stretches: Iterable<number>,
  struck: Struck[],
): boolean {
  const { board, line, crowds, budget } = filtering;
  const crowdsLeft = new Set<number>();
  const stretchesLeft = new Set(line.isExact ? stretches : []);
  for (const span of changed) for (const crowd of crowds.of[span] ?? []) crowdsLeft.add(crowd);
  let noted = struck.length;
  const noteStruck = () => {
    for (; noted < struck.length; noted += 1) {
      const [span, vehicle] = struck[noted] ?? [0, 0];
      for (const crowd of crowds.of[span] ?? []) crowdsLeft.add(crowd);
      if (!line.isExact) continue;
      for (const stretch of touchedBy(board, span, vehicle)) stretchesLeft.add(stretch);
    }
  };
  while (crowdsLeft.size + stretchesLeft.size > 0) {
    for (const stretch of taken(stretchesLeft)) {
      if (isLate(budget)) return true;
      if (!strikeUnreachable(line, board, stretch, struck)) return false;
    }
    noteStruck();
    for (const crowd of taken(crowdsLeft)) {
      if (isLate(budget)) return true;
      if (!strikeUseless(filtering, crowd, struck)) return false;
    }
    noteStruck();
  }
  return true;
}

function taken(numbers: Set<number>): number[] {
  const all = [...numbers];
  numbers.clear();
  return all;
}

function strikeUseless({ board, crowds }: Filtering, crowd: number, struck: Struck[]): boolean {
  const spans = (crowds.members[crowd] ?? []).filter((span) => board.given[span] === -1);
  const useless = uselessIn(board, spans, ownersOf(crowds, crowd, board));
  if (useless === null) return false;
  for (const [span, vehicle] of useless) forbid(board, span, vehicle);
  struck.push(...useless);
  return true;
}

/** The stretch that has lost the span, and that of the only vehicle that is left for it. */
function touchedBy(board: Board, span: number, vehicle: number): readonly number[] {
  const lost = stretchOf(board, span, vehicle);
  if (board.choices[span] !== 1) return [lost];
  const only = board.vehicleIds.findIndex((_, each) => isFree(board, span, each));
  return [lost, stretchOf(board, span, only)];
}

function ownersOf({ owners }: Crowds, crowd: number, board: Board): Int32Array {
  const known = owners[crowd];
  if (known !== undefined) return known;
  const fresh = new Int32Array(board.vehicleIds.length).fill(-1);
  owners[crowd] = fresh;
  return fresh;
}

/** Choices that no way of serving all the spans contains; null when there is no such way. */
function uselessIn(board: Board, spans: readonly number[], owners: Int32Array): Struck[] | null {
  const mates = matched(board, spans, owners);
  if (mates === null) return null;
  const swaps = swappable(board, spans, mates, owners);
  const tight = spans.flatMap((_, at) => (swaps[mates[at] ?? 0] === 1 ? [] : [at]));
  if (tight.length === 0) return [];
  const groups = exchanges(board, spans, mates, tight);
  const useless: Struck[] = [];
  for (const [at, span] of spans.entries()) {
    for (const other of tight) {
      const vehicle = mates[other] ?? -1;
      if (groups[other] !== groups[at] && isFree(board, span, vehicle)) {
        useless.push([span, vehicle]);
      }
    }
  }
  return useless;
}

/**
 * A vehicle for each span, each its own; null when they are too few (Kuhn's augmenting paths). The
 * crowd's last matching, kept in `owners` by vehicle, is where it begins.
 */
function matched(board: Board, spans: readonly number[], owners: Int32Array): Int32Array | null {
  const vehicles = board.vehicleIds.length;
  const mates = new Int32Array(spans.length).fill(-1);
  for (let vehicle = 0; vehicle < vehicles; vehicle += 1) {
    const span = owners[vehicle] ?? -1;
    const at = span === -1 ? -1 : spans.indexOf(span);
    if (at !== -1 && mates[at] === -1 && isFree(board, span, vehicle)) mates[at] = vehicle;
    else owners[vehicle] = -1;
  }
  const tried = new Uint8Array(vehicles);
  const serve = (at: number): boolean => {
    const span = spans[at] ?? -1;
    for (let vehicle = 0; vehicle < vehicles; vehicle += 1) {
      if (tried[vehicle] === 1 || !isFree(board, span, vehicle)) continue;
      tried[vehicle] = 1;
      const other = owners[vehicle] ?? -1;
      if (other !== -1 && !serve(spans.indexOf(other))) continue;
      owners[vehicle] = span;
      mates[at] = vehicle;
      return true;
    }
    return false;
  };
  for (const [at, mate] of mates.entries()) {
    if (mate !== -1) continue;
    tried.fill(0);
    if (!serve(at)) return null;
  }
  return mates;
}

/** 1 for vehicles from which changes lead to one that nobody needs: who wants them can have them. */
function swappable(
  board: Board,
  spans: readonly number[],
  mates: Int32Array,
  owners: Int32Array,
): Uint8Array {
  const found = new Uint8Array(owners.length);
  const queue: number[] = [];
  for (const [vehicle, owner] of owners.entries()) {
    if (owner !== -1) continue;
    found[vehicle] = 1;
    queue.push(vehicle);
  }
  for (const vehicle of queue) {
    for (let at = 0; at < spans.length; at += 1) {
      const mate = mates[at] ?? 0;
      if (found[mate] === 1 || !isFree(board, spans[at] ?? 0, vehicle)) continue;
      found[mate] = 1;
      queue.push(mate);
    }
  }
  return found;
}

/** Spans of one group can exchange vehicles in a ring (strongly connected, by Tarjan); others have -1. */
function exchanges(
  board: Board,
  spans: readonly number[],
  mates: Int32Array,
  tight: readonly number[],
): Int32Array {
  const groups = new Int32Array(spans.length).fill(-1);
  const low = new Int32Array(spans.length).fill(-1);
  const stack: number[] = [];
  let [visited, closed] = [0, 0];
  const visit = (at: number): void => {
    const number = visited;
    low[at] = number;
    visited += 1;
    stack.push(at);
    const span = spans[at] ?? 0;
    for (const next of tight) {
      if (groups[next] !== -1 || next === at || !isFree(board, span, mates[next] ?? 0)) continue;
      if (low[next] === -1) visit(next);
      low[at] = Math.min(low[at] ?? 0, low[next] ?? 0);
    }
    if (low[at] !== number) return;
    for (let each = stack.pop(); each !== undefined; each = stack.pop()) {
      groups[each] = closed;
      if (each === at) break;
    }
    closed += 1;
  };
  for (const at of tight) if (low[at] === -1) visit(at);
  return groups;
}
