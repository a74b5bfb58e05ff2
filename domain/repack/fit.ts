// A quick guess before any search: in time order, each span where the least time would be left over.
import { type Board, isFree, scrambled } from './board.ts';
import { type Budget, isLate } from './budget.ts';
import type { RepackSpan } from './problem.ts';
import type { Placement } from './search.ts';
import { admits, type Stretch } from './stretches.ts';

/** The first tries keep vehicles where they can; each of the others weighs a little differently. */
const TRIES = 24;

/**
 * A placement of spans that all start and end at one place, or null when no try came to one, which
 * proves nothing. Where little is fixed most feasible pools are solved here: a search would have to
 * walk through hundreds of spans to say the same.
 */
export function placeByFit(
  board: Board,
  stretches: readonly Stretch[],
  budget: Budget,
): Placement | null {
  const order = choicesOf(board, stretches);
  for (let attempt = 0; attempt < TRIES && !isLate(budget); attempt += 1) {
    const placement = guess(order, stretches, attempt);
    if (placement !== null) return placement;
  }
  return null;
}

/** `left`: the time that the stretch would have after the span, until it is needed again. */
type Choice = { readonly at: number; readonly left: number; readonly keeps: boolean };
type Choosing = { readonly span: RepackSpan; readonly choices: readonly Choice[] };

/** In time order, with what the board still allows each. */
function choicesOf(board: Board, stretches: readonly Stretch[]): readonly Choosing[] {
  const numbers = new Map(board.vehicleIds.map((id, index) => [id, index]));
  const vehicles = stretches.map(({ vehicleId }) => numbers.get(vehicleId) ?? -1);
  const order = board.spans.map((span, index) => ({ span, index }));
  order.sort((a, b) => a.span.from - b.span.from);
  return order.map(({ span, index }) => {
    const choices: Choice[] = [];
    for (const [at, stretch] of stretches.entries()) {
      if (stretch.to < span.to || stretch.from > span.from) continue;
      if (!isFree(board, index, vehicles[at] ?? -1) || !admits(stretch, span)) continue;
      const left = Math.min(endOf(stretch, span) - span.to, LONG_MS);
      choices.push({ at, left, keeps: stretch.vehicleId === span.vehicleId });
    }
    return { span, choices };
  });
}

function guess(
  order: readonly Choosing[],
  stretches: readonly Stretch[],
  attempt: number,
): Placement | null {
  const freeFrom = stretches.map(({ from }) => from);
  const placement = new Map<string, string>();
  for (const [index, { span, choices }] of order.entries()) {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (const { at, left, keeps } of choices) {
      if ((freeFrom[at] ?? 0) > span.from) continue;
      const noise = attempt < 2 ? 1 : 1 + noiseOf(attempt, index, at) * attempt * 0.05;
      const cost = keeps && attempt % 2 === 0 ? -1 : left * noise;
      if (cost < least) [best, least] = [at, cost];
    }
    const chosen = stretches[best];
    if (chosen === undefined) return null;
    freeFrom[best] = span.to;
    placement.set(span.id, chosen.vehicleId);
  }
  return placement;
}

/** Longer than any rental: what is left after it makes no difference, but must be a number. */
const LONG_MS = 4 * 365 * 86_400_000;

/** When the vehicle is next needed by something that stays. */
function endOf({ to, holes }: Stretch, span: RepackSpan): number {
  return Math.min(to, ...holes.filter(({ from }) => from >= span.to).map(({ from }) => from));
}

/** From 0 to 1, always the same for the same three numbers. */
function noiseOf(attempt: number, index: number, at: number): number {
  return (scrambled(attempt * 1_000_003 + index * 1_009 + at) >>> 0) / 2 ** 32;
}
