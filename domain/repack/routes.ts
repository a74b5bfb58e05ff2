// Routes: each vehicle's way through the spans from one fixed time to the next, negotiated.
import { type Board, isFree, scrambled } from './board.ts';
import { type Budget, isSpent } from './budget.ts';
import { meet, type RepackSpan } from './problem.ts';
import { placeRest, spareStretches } from './rest.ts';
import type { Placement } from './search.ts';
import type { Stretch } from './stretches.ts';
import { isShort, slot, type Timeline } from './timeline.ts';

type Routing = {
  readonly line: Timeline;
  /** By stretch: its spans in time order; null while it waits for a new route. */
  readonly routes: (readonly number[] | null)[];
  readonly waiting: number[];
  /** By span: the stretch whose route has it, or -1. */
  readonly owners: Int32Array;
  /** By slot: the stretches whose vehicles rest there on their routes. */
  readonly resters: number[][];
  /** What it costs to take a span from another route, or its rest: more each time. */
  readonly spanPrices: Float64Array;
  readonly restPrices: Float64Array;
  /** By stretch: spans that it may not have although they lie within; null when it has none. */
  readonly barred: readonly (ReadonlySet<number> | null)[];
  /** Of the way that is being looked for: the costs with each span, and which span is before it. */
  readonly costs: Float64Array;
  readonly previous: Int32Array;
  drawn: number;
};

/**
 * Looks for a placement on at most `tries` routes; `none` is proved, `unknown` is not. A board that
 * was filtered says what has been struck out already.
 *
 * How many vehicles rest where and when is the same in every placement, so a vehicle that rests is
 * as much of a claim as one that is used. Every stretch with an end gets the cheapest route; what it
 * takes from others makes these look for new ones, and dearer the next time (negotiated congestion,
 * McMurchie and Ebeling 1995). Once no claim is doubled, what is left suits the open-ended stretches.
 */
export function negotiate(
  line: Timeline,
  budget: Budget,
  tries: number,
  board?: Board,
): Placement | 'none' | 'unknown' {
  if (isShort(line)) return 'none';
  const open = spareStretches(line);
  const routing = begin(line, open, board);
  for (let tried = 0; routing.waiting.length > 0; tried += 1) {
    if (tried >= tries || isSpent(budget)) return 'unknown';
    const stretch = drawWaiting(routing);
    const route = cheapestRoute(routing, stretch);
    if (route === null) return line.isExact ? 'none' : 'unknown';
    claim(routing, stretch, route);
  }
  return placeRest(line, open, routing.owners) ?? 'unknown';
}

/** Everybody starts on the routes of today; the demand's time is where rests are claimed twice. */
function begin(line: Timeline, open: ReadonlySet<number>, board: Board | undefined): Routing {
  const { spans, stretches } = line;
  const routing: Routing = {
    line,
    routes: stretches.map(() => null),
    waiting: [],
    owners: new Int32Array(spans.length).fill(-1),
    resters: Array.from(line.resting, () => []),
    spanPrices: new Float64Array(spans.length).fill(1),
    restPrices: new Float64Array(line.resting.length).fill(1),
    barred: stretches.map((stretch, index) => {
      return board === undefined ? barredOn(stretch, spans) : struckOn(board, index);
    }),
    costs: new Float64Array(spans.length),
    previous: new Int32Array(spans.length),
    drawn: 0,
  };
  const today = routesOfToday(line);
  for (const stretch of stretches.keys()) {
    if (open.has(stretch)) continue;
    const route = today[stretch] ?? [];
    if (isWay(routing, stretch, route)) enter(routing, stretch, route);
    else routing.waiting.push(stretch);
  }
  for (const at of line.resting.keys()) settleRests(routing, at);
  return routing;
}

function barredOn(stretch: Stretch, spans: readonly RepackSpan[]): Set<number> | null {
  if (stretch.holes.length === 0 && stretch.refuses.length === 0) return null;
  const refuses = new Set(stretch.refuses);
  const isBarred = (span: RepackSpan) =>
    refuses.has(span.id) || stretch.holes.some((hole) => meet(hole, span));
  return new Set(spans.flatMap((span, index) => (isBarred(span) ? [index] : [])));
}

function struckOn(board: Board, stretch: number): Set<number> {
  const vehicle = board.vehicleOf[stretch] ?? -1;
  return new Set([...board.spans.keys()].filter((span) => !isFree(board, span, vehicle)));
}

function routesOfToday({ spans, stretches, begins }: Timeline): number[][] {
  const byVehicle = Map.groupBy(stretches.keys(), (index) => stretches[index]?.vehicleId);
  const routes: number[][] = stretches.map(() => []);
  for (const [index, span] of spans.entries()) {
    const own = byVehicle.get(span.vehicleId ?? '')?.find((each) => {
      const stretch = stretches[each];
      return stretch !== undefined && stretch.from <= span.from && span.to <= stretch.to;
    });
    if (own !== undefined) routes[own]?.push(index);
  }
  for (const route of routes) route.sort((a, b) => (begins[a] ?? 0) - (begins[b] ?? 0));
  return routes;
}

function isWay({ line, barred }: Routing, stretch: number, route: readonly number[]): boolean {
  let [place, moment] = [line.before[stretch] ?? -1, line.opens[stretch] ?? 0];
  for (const span of route) {
    if (line.out[span] !== place || (line.begins[span] ?? 0) < moment) return false;
    if (barred[stretch]?.has(span)) return false;
    [place, moment] = [line.in[span] ?? -1, line.ends[span] ?? 0];
  }
  return line.after[stretch] === -1 || line.after[stretch] === place;
}

function enter(routing: Routing, stretch: number, route: readonly number[]): void {
  routing.routes[stretch] = route;
  for (const span of route) routing.owners[span] = stretch;
  for (const at of restsOf(routing.line, stretch, route)) routing.resters[at]?.push(stretch);
}

function leave(routing: Routing, stretch: number): void {
  const route = routing.routes[stretch] ?? [];
  routing.routes[stretch] = null;
  for (const span of route) routing.owners[span] = -1;
  for (const at of restsOf(routing.line, stretch, route)) {
    const resters = routing.resters[at] ?? [];
    resters.splice(resters.indexOf(stretch), 1);
  }
  routing.waiting.push(stretch);
}

function restsOf(line: Timeline, stretch: number, route: readonly number[]): number[] {
  const rests: number[] = [];
  let [place, moment] = [line.before[stretch] ?? 0, line.opens[stretch] ?? 0];
  const restUntil = (end: number) => {
    for (; moment < end; moment += 1) rests.push(slot(line, place, moment));
  };
  for (const span of route) {
    restUntil(line.begins[span] ?? 0);
    [place, moment] = [line.in[span] ?? 0, line.ends[span] ?? 0];
  }
  restUntil(line.closes[stretch] ?? 0);
  return rests;
}

function claim(routing: Routing, stretch: number, route: readonly number[]): void {
  for (const span of route) {
    const owner = routing.owners[span] ?? -1;
    if (owner === -1) continue;
    routing.spanPrices[span] = (routing.spanPrices[span] ?? 0) + 1;
    leave(routing, owner);
  }
  enter(routing, stretch, route);
  for (const at of restsOf(routing.line, stretch, route)) settleRests(routing, at);
}

/** Whoever came last keeps the rest; it is as dear as the others would find it. */
function settleRests(routing: Routing, at: number): void {
  const resters = routing.resters[at] ?? [];
  while (resters.length > Math.max(routing.line.resting[at] ?? 0, 0)) {
    routing.restPrices[at] = (routing.restPrices[at] ?? 0) + 1;
    leave(routing, resters[Math.floor(draw(routing) * (resters.length - 1))] ?? 0);
  }
}

function drawWaiting(routing: Routing): number {
  const { waiting } = routing;
  const at = Math.floor(draw(routing) * waiting.length);
  const [stretch, last] = [waiting[at] ?? 0, waiting.pop() ?? 0];
  if (at < waiting.length) waiting[at] = last;
  return stretch;
}

/** From 0 to 1, the same in every run: rules know no chance. */
function draw(routing: Routing): number {
  routing.drawn += 1;
  return (scrambled(routing.drawn) >>> 0) / 2 ** 32;
}

/** What is free costs next to nothing: less where more of it is, and least where it is today. */
const FREE = 0.02;

/** Null when there is none whatever the others do. */
function cheapestRoute(routing: Routing, stretch: number): readonly number[] | null {
  const { line, costs, previous } = routing;
  const closes = line.closes[stretch] ?? 0;
  const rest = new Float64Array(line.places).fill(Number.POSITIVE_INFINITY);
  const latest = new Int32Array(line.places).fill(-1);
  rest[line.before[stretch] ?? 0] = 0;
  costs.fill(Number.POSITIVE_INFINITY);
  for (let moment = line.opens[stretch] ?? 0; ; moment += 1) {
    for (const span of line.ending[moment] ?? []) {
      const [place, cost] = [line.in[span] ?? 0, costs[span] ?? 0];
      if (cost < (rest[place] ?? 0)) [rest[place], latest[place]] = [cost, span];
    }
    if (moment === closes) break;
    for (const span of line.beginning[moment] ?? []) {
      const place = line.out[span] ?? 0;
      if (rest[place] === Number.POSITIVE_INFINITY || (line.ends[span] ?? 0) > closes) continue;
      if (routing.barred[stretch]?.has(span)) continue;
      costs[span] = (rest[place] ?? 0) + spanCost(routing, stretch, span);
      previous[span] = latest[place] ?? -1;
    }
    for (let place = 0; place < line.places; place += 1) {
      rest[place] = (rest[place] ?? 0) + restCost(routing, slot(line, place, moment));
    }
  }
  const end = line.after[stretch] ?? -1;
  const place = end === -1 ? rest.indexOf(Math.min(...rest)) : end;
  if (rest[place] === Number.POSITIVE_INFINITY) return null;
  const route: number[] = [];
  for (let span = latest[place] ?? -1; span !== -1; span = previous[span] ?? -1) route.push(span);
  return route.reverse();
}

function spanCost(routing: Routing, stretch: number, span: number): number {
  if (routing.owners[span] !== -1) return routing.spanPrices[span] ?? 0;
  const { spans, stretches } = routing.line;
  const isToday = spans[span]?.vehicleId === stretches[stretch]?.vehicleId;
  return isToday ? 0 : FREE * draw(routing);
}

function restCost({ line, resters, restPrices }: Routing, at: number): number {
  const vehicles = line.resting[at] ?? 0;
  if (vehicles <= 0) return Number.POSITIVE_INFINITY;
  const left = vehicles - (resters[at]?.length ?? 0);
  return left > 0 ? FREE / left : (restPrices[at] ?? 0);
}
