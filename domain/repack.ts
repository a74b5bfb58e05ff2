// Repacking: tentative spans change vehicles so that a demand finds one that it could not have.
import {
  type Budget,
  type Clock,
  openBudget,
  REPACK_BUDGET,
  settle,
  share,
} from './repack/budget.ts';
import { freeThroughout, placeByStart } from './repack/greedy.ts';
import type { Period, RepackProblem, RepackResult, RepackSpan } from './repack/problem.ts';
import { isOneWay, meet } from './repack/problem.ts';
import { isCrowded, type Placement, search } from './repack/search.ts';
import { type Stretch, stretchesOf, withBrokenOnesFixed } from './repack/stretches.ts';

/**
 * Finds vehicles for the spans that have none, moving few others; fixed times and the places of the
 * vehicles are kept (shared decisions 2 and 4). Greedy by start time is exact where nothing is
 * fixed. Else the question grows from the demand outwards: as soon as the spans near it can be
 * placed while the others stay, that is the plan; as soon as they cannot although the others
 * vanish, there is none. The last is the whole connected component, where both are one question.
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
  const greedy = placeGreedily(problem, component);
  if (greedy === null) return { outcome: 'none', nodes: 0 };
  for (const circle of circles) {
    const near = attempt(problem, circle, 'others stay', budget);
    if (typeof near !== 'string') return planOf(problem, near, budget);
    const isHopeless =
      greedy === 'unknown' && attempt(problem, circle, 'others vanish', budget) === 'none';
    if (isHopeless) return { outcome: 'none', nodes: budget.nodes };
  }
  if (greedy !== 'unknown') return planOf(problem, greedy, budget);
  const whole = solve(problem, component, 'others stay', budget);
  if (whole !== null) return planOf(problem, whole, budget);
  return { outcome: budget.ended ? 'exhausted' : 'none', nodes: budget.nodes };
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

/** Of the budget that is left, for each attempt but the last: none may starve the next. */
const SHARE = 0.1;

type Others = 'others stay' | 'others vanish';

function attempt(
  problem: RepackProblem,
  circle: readonly RepackSpan[],
  others: Others,
  budget: Budget,
): Placement | 'none' | 'unknown' {
  const part = share(budget, SHARE);
  const placement = solve(problem, circle, others, part);
  settle(budget, part);
  return placement ?? (part.ended ? 'unknown' : 'none');
}

/** One-way spans never vanish: they carry vehicles to where later ones begin. */
function solve(
  problem: RepackProblem,
  circle: readonly RepackSpan[],
  others: Others,
  budget: Budget,
): Placement | null {
  const near = new Set(circle);
  if (others === 'others stay') {
    const frozen = problem.spans.filter((span) => !near.has(span));
    return search(circle, calendarOf(problem, frozen, circle), budget);
  }
  const kept = problem.spans.filter((span) => near.has(span) || isOneWay(span));
  return search(kept, calendarOf(problem, [], kept), budget);
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
      const inside = circle;
      circle = spans.filter((span) => inside.some((other) => meet(span, other)));
    }
    if (circle.length === size) break;
    circles.push(circle);
  }
  if (circle.length < spans.length && spans.some(isOneWay)) circles.push([...spans]);
  if (circles.length === 0) circles.push(circle);
  return circles;
}

function planOf({ spans }: RepackProblem, placement: Placement, { nodes }: Budget): RepackResult {
  const moves = spans.flatMap(({ id, vehicleId: had }) => {
    const vehicleId = placement.get(id) ?? had;
    return vehicleId === null || vehicleId === had ? [] : [{ id, vehicleId }];
  });
  return { outcome: 'plan', moves, nodes };
}
