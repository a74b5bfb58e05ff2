// The exact search: one-way spans first, in time order, because they decide where vehicles are.
import {
  allow,
  type Board,
  createBoard,
  give,
  isFree,
  scrambled,
  stretchOf,
  takeBack,
} from './board.ts';
import { type Budget, isSpent } from './budget.ts';
import { hasCrowd } from './crowds.ts';
import { crowdsOf, type Filtering, filter, type Struck } from './filter.ts';
import { isOneWay, type RepackSpan } from './problem.ts';
import { negotiate } from './routes.ts';
import { admits, contains, hasRoomFor, type Stretch } from './stretches.ts';
import { isShort, type Timeline, timelineOf } from './timeline.ts';

/** The vehicle of each span. */
export type Placement = ReadonlyMap<string, string>;

/** A placement of all spans of the line, or null: then none exists, unless the budget ended. */
export function search({ spans, stretches }: Timeline, budget: Budget): Placement | null {
  const oneWays = spans.filter(isOneWay).sort((a, b) => a.from - b.from);
  const locals = spans.filter((span) => !isOneWay(span));
  return placeOneWays(oneWays, stretches, (rest) => placeLocals(locals, rest, budget), budget);
}

/** Each one-way span splits the stretch that it is placed on; `then` places what stays at home. */
function placeOneWays(
  [span, ...later]: readonly RepackSpan[],
  stretches: readonly Stretch[],
  then: (stretches: readonly Stretch[]) => Placement | null,
  budget: Budget,
): Placement | null {
  if (span === undefined) return stretches.every(isWhole) ? then(stretches) : null;
  const choices = stretches.filter((stretch) => admits(stretch, span));
  choices.sort((a, b) => Number(isCurrent(b, span)) - Number(isCurrent(a, span)));
  for (const stretch of choices) {
    if (isSpent(budget)) return null;
    const [head, tail] = split(stretch, span);
    if (!isWhole(tail) && !later.some((next) => carries(next, tail))) continue;
    const rest = [...stretches.filter((other) => other !== stretch), head, tail];
    const placement = placeOneWays(later, rest, then, budget);
    if (placement !== null) return new Map([...placement, [span.id, stretch.vehicleId]]);
  }
  return null;
}

function isCurrent(stretch: Stretch, span: RepackSpan): boolean {
  return stretch.vehicleId === span.vehicleId;
}

/** Nothing has to carry the vehicle elsewhere. */
function isWhole({ before, after }: Stretch): boolean {
  return after === null || after === before;
}

function carries(span: RepackSpan, stretch: Stretch): boolean {
  return span.branchOut === stretch.before && contains(stretch, span);
}

function split(stretch: Stretch, span: RepackSpan): readonly [Stretch, Stretch] {
  return [
    { ...stretch, to: span.from, after: span.branchOut },
    { ...stretch, from: span.to, before: span.branchIn },
  ];
}

function placeLocals(
  spans: readonly RepackSpan[],
  stretches: readonly Stretch[],
  budget: Budget,
): Placement | null {
  const line = timelineOf(spans, stretches);
  const guessed = negotiate(line, budget, TRIES);
  if (guessed === 'none') return null;
  if (guessed !== 'unknown') return guessed;
  const narrowed = narrow(line, budget);
  return narrowed === null ? null : searchOn(narrowed);
}

/** At some moment there are too few vehicles for those that need one: nothing needs a search. */
export function isCrowded(spans: readonly RepackSpan[], stretches: readonly Stretch[]): boolean {
  const line = timelineOf(spans, stretches);
  if (isShort(line)) return true;
  const board = createBoard(line, admits);
  return board.choices.includes(0) || hasCrowd(board);
}

/** Routes that are tried before a search of spans that stay at one place. */
const TRIES = 50;

/**
 * What filtering leaves of the choices; null when that proves that not all can be placed, the
 * one-way spans among them: where vehicles can be is told by their ways, not by decisions.
 */
export function narrow(line: Timeline, budget: Budget): Filtering | null {
  const board = createBoard(line, line.spans.some(isOneWay) ? hasRoomFor : admits);
  const filtering = { board, line, crowds: crowdsOf(line.spans), budget };
  return filterAll(filtering) ? filtering : null;
}

/** As `search`, for spans that all stay at one place. */
export function searchOn(filtering: Filtering): Placement | null {
  const { spans } = filtering.line;
  const { board } = filtering;
  const weights = new Int32Array(spans.length).fill(1);
  if (!descend({ ...filtering, weights, dead: new Set() })) return null;
  const placed = spans.map(({ id, vehicleId }, span): readonly [string, string] => {
    return [id, board.vehicleIds[board.given[span] ?? -1] ?? vehicleId ?? ''];
  });
  return new Map(placed);
}

/** What is near the demands first: what proves that there is no placement mostly is. */
function filterAll(filtering: Filtering): boolean {
  const { board, line } = filtering;
  if (board.choices.includes(0)) return false;
  const demands = [...line.spans.keys()].filter((span) => board.current[span] === -1);
  const near = new Set(demands.flatMap((span) => stretchesFor(board, span)));
  return (
    filter(filtering, demands, near, []) &&
    filter(filtering, line.spans.keys(), line.stretches.keys(), [])
  );
}

type Search = Filtering & {
  /** Dead ends are remembered, because others lead to the same. */
  readonly dead: Set<string>;
  /** By span, how often it came to nothing: where it is hard, it is hard soon. */
  readonly weights: Int32Array;
};

/** Places what is left. */
function descend(search: Search): boolean {
  const { board, dead, budget } = search;
  const span = tightest(search);
  if (span === -1) return true;
  if (isSpent(budget)) return false;
  const key = markOf(board);
  if (dead.has(key)) return false;
  for (const vehicle of candidates(board, span)) {
    if (leadsOn(search, span, vehicle)) return true;
    if (budget.ended) return false;
  }
  dead.add(key);
  return false;
}

/** Whether all can be placed once the span has the vehicle; if not, the board is as it was. */
function leadsOn(search: Search, span: number, vehicle: number): boolean {
  const { board } = search;
  const struck: Struck[] = [];
  const neighbours = board.neighbours[span] ?? [];
  const touched = stretchesFor(board, span);
  const isOpen = give(board, span, vehicle) && filter(search, neighbours, touched, struck);
  if (isOpen && descend(search)) return true;
  search.weights[span] = (search.weights[span] ?? 0) + 1;
  for (const [other, lost] of struck.toReversed()) allow(board, other, lost);
  takeBack(board, span);
  return false;
}

/** The stretches that the span might still be on: one gets it, the others go without. */
function stretchesFor(board: Board, span: number): number[] {
  const vehicles = [...board.vehicleIds.keys()].filter((vehicle) => isFree(board, span, vehicle));
  return vehicles.map((vehicle) => stretchOf(board, span, vehicle));
}

/** Says which unplaced spans may have which vehicle, whatever the vehicles are called. */
function markOf({ marks }: Board): string {
  let [low, high] = [0, 0];
  for (let at = 0; at < marks.length; at += 2) {
    const [a, b] = [marks[at] ?? 0, marks[at + 1] ?? 0];
    low = (low + scrambled(a ^ Math.imul(b, 31))) | 0;
    high = (high + scrambled(b ^ Math.imul(a, 37))) | 0;
  }
  return `${low},${high}`;
}

/** The unplaced span with the fewest choices; -1 when all that are left can stay where they are. */
function tightest({ board, weights }: Search): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  let isSettled = true;
  for (const [span, given] of board.given.entries()) {
    if (given !== -1) continue;
    const current = board.current[span] ?? -1;
    if (current === -1 || !isFree(board, span, current)) isSettled = false;
    const choices = (board.choices[span] ?? 0) / (weights[span] ?? 1);
    if (choices < least) [best, least] = [span, choices];
  }
  return isSettled ? -1 : best;
}

/** One of each kind of equal vehicles: the present one first, then by how many it would displace. */
function candidates(board: Board, span: number): readonly number[] {
  const current = board.current[span];
  const costs = new Map<number, number>();
  for (let vehicle = 0; vehicle < board.vehicleIds.length; vehicle += 1) {
    if (isFree(board, span, vehicle)) costs.set(vehicle, vehicle === current ? -1 : 0);
  }
  for (const other of board.neighbours[span] ?? []) {
    if (board.given[other] !== -1) continue;
    const vehicle = board.current[other] ?? -1;
    const cost = costs.get(vehicle);
    if (cost !== undefined && vehicle !== current) costs.set(vehicle, cost + 1);
  }
  const order = [...costs].sort((a, b) => a[1] - b[1]).map(([vehicle]) => vehicle);
  const kinds = new Set<string>();
  return order.filter((vehicle) => {
    const kind = `${board.marks[vehicle * 2]},${board.marks[vehicle * 2 + 1]}`;
    return !kinds.has(kind) && kinds.add(kind);
  });
}
