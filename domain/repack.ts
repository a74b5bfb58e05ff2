// Repacking: tentative spans change vehicles so that a demand finds one that it could not have.
import { type Budget, type Clock, openBudget, REPACK_BUDGET } from './repack/budget.ts';
import { freeThroughout, placeByStart } from './repack/greedy.ts';
import type { Period, RepackProblem, RepackResult, RepackSpan } from './repack/problem.ts';
import { isOneWay, meet } from './repack/problem.ts';
import { negotiate } from './repack/routes.ts';
import { isCrowded, narrow, type Placement, search, searchOn } from './repack/search.ts';
import { type Stretch, stretchesOf, withBrokenOnesFixed } from './repack/stretches.ts';
import { isShort, type Timeline, timelineOf } from './repack/timeline.ts';

/** Routes to be tried: near the demands, for the whole component, and once choices were narrowed. */
const TRIES = { near: 50, whole: 200, narrowed: 1_000 } as const;

/**
 * Finds vehicles for the spans that have none, moving few others; fixed times and the places of the
 * vehicles are kept (shared decisions 2 and 4). Greedy by start time is exact where nothing is
 * fixed. Else the question grows from the demands outwards while the spans farther off stay, up to
 * the connected component; vehicles' routes are negotiated, which finds nearly every plan there is.
 * Where it finds none, filtering proves that there is none or narrows the choices for more of it,
 * and an exact search has the last word.
 */
export function repack(
  asked: RepackProblem,
  now: Clock,
  limits: { readonly nodes: number; readonly ms: number } = REPACK_BUDGET,
): RepackResult {
  const budget = openBudget(now, limits);
  const problem = withBrokenOnesFixed(asked);
  const circles = circlesAround(problem.spans);
  const component = circles.pop() ?? [];
  const line = lineOf(problem, component);
  const greedy = isShort(line) ? null : placeGreedily(problem, component);
  if (greedy === null) return { outcome: 'none', nodes: 0 };
  for (const circle of circles) {
    const near = negotiate(lineOf(problem, circle), budget, TRIES.near);
    if (typeof near !== 'string') return planOf(problem, near, budget);
  }
  const placement = greedy === 'unknown' ? placeAll(line, budget) : greedy;
  if (typeof placement !== 'string') return planOf(problem, placement, budget);
  return { outcome: placement, nodes: budget.nodes };
}

function placeAll(line: Timeline, budget: Budget): Placement | 'none' | 'exhausted' {
  const first = negotiate(line, budget, TRIES.whole);
  if (first !== 'unknown') return first;
  const narrowed = narrow(line, budget);
  if (narrowed === null) return 'none';
  const second = negotiate(line, budget, TRIES.narrowed, narrowed.board);
  if (second !== 'unknown') return second;
  const leadsElsewhere = line.spans.some(isOneWay);
  const last = leadsElsewhere ? search(line, budget) : searchOn(narrowed);
  return last ?? (budget.ended ? 'exhausted' : 'none');
}

/** The spans of a circle may move, the others stay. */
function lineOf(problem: RepackProblem, circle: readonly RepackSpan[]): Timeline {
  const near = new Set(circle);
  const frozen = problem.spans.filter((span) => !near.has(span));
  return timelineOf(circle, calendarOf(problem, frozen, circle));
}

/** From when to when the demands' connected component goes: what lies outside has no influence. */
export function reachOf({ spans }: RepackProblem): Period {
  const component = circlesAround(spans).at(-1) ?? [];
  return {
    from: Math.min(...component.map((span) => span.from)),
    to: Math.max(...component.map((span) => span.to)),
  };
}

/**
 * True when the spans and fixed times within a window suffice to prove that there is no placement,
 * whatever happens outside of it: all is cut to the window, and vehicles are taken to be wherever
 * they are wanted. Cheap, and enough for most demands on a pool that is simply full.
 */
export function isFullWithin({ vehicles, spans }: RepackProblem, window: Period): boolean {
  const place = { branchOut: 'anywhere', branchIn: 'anywhere' };
  const cut = <T extends Period>(times: readonly T[]): T[] =>
    times
      .filter((time) => meet(time, window))
      .map((time) => ({
        ...time,
        ...place,
        from: Math.max(time.from, window.from),
        to: Math.min(time.to, window.to),
      }));
  const within = {
    vehicles: vehicles.map((vehicle) => {
      return { ...vehicle, branchId: place.branchOut, fixed: cut(vehicle.fixed) };
    }),
    spans: cut(spans),
  };
  const { vehicles: cars, spans: movable } = withBrokenOnesFixed(within);
  const stretches = calendarOf({ vehicles: cars, spans: movable }, [], movable);
  return isCrowded(movable, stretches);
}

function calendarOf(
  { vehicles }: RepackProblem,
  frozen: readonly RepackSpan[],
  movable: readonly RepackSpan[],
): Stretch[] {
  const byVehicle = Map.groupBy(frozen, (span) => span.vehicleId);
  return vehicles.flatMap((each) => stretchesOf(each, byVehicle.get(each.id) ?? [], movable));
}

function placeGreedily(
  problem: RepackProblem,
  component: readonly RepackSpan[],
): Placement | null | 'unknown' {
  const free = freeThroughout(component, calendarOf(problem, [], component));
  return free === null ? 'unknown' : placeByStart(component, free);
}

/**
 * The demands with all that overlap them, then with all that overlap those, in steps that double;
 * the last has whatever the demands can reach. A one-way span reaches everything after it.
 */
function circlesAround(spans: readonly RepackSpan[]): RepackSpan[][] {
  const circles: RepackSpan[][] = [];
  let circle = spans.filter((span) => span.vehicleId === null);
  for (let steps = 1; ; steps *= 2) {
    const size = circle.length;
    for (let step = 0; step < steps; step += 1) {
      const taken = joined(circle);
      circle = spans.filter((span) => taken.some((period) => meet(span, period)));
    }
    if (circle.length === size) break;
    circles.push(circle);
  }
  if (circle.length < spans.length && spans.some(isOneWay)) circles.push([...spans]);
  if (circles.length === 0) circles.push(circle);
  return circles;
}

/** The times that the spans take, as few periods as say so. */
function joined(spans: readonly RepackSpan[]): Period[] {
  const periods: { from: number; to: number }[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = periods.at(-1);
    if (last === undefined || last.to < from) periods.push({ from, to });
    else last.to = Math.max(last.to, to);
  }
  return periods;
}

function planOf({ spans }: RepackProblem, placement: Placement, { nodes }: Budget): RepackResult {
  const moves = spans.flatMap(({ id, vehicleId: had }) => {
    const vehicleId = placement.get(id) ?? had;
    return vehicleId === null || vehicleId === had ? [] : [{ id, vehicleId }];
  });
  return { outcome: 'plan', moves, nodes };
}
