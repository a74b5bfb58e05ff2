// Repacking for a demand: the pool is read in short transactions, the search holds no lock at all.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { RentalRequest } from '../../domain/rental.ts';
import { type Clock, REPACK_BUDGET } from '../../domain/repack/budget.ts';
import type { FixedTime, Period, RepackProblem, RepackSpan } from '../../domain/repack/problem.ts';
import { isFullWithin, reachOf, repack } from '../../domain/repack.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { asked } from './calendar.ts';
import { type Move, type PoolSpans, poolSpans } from './calendar-repack.ts';
import { instant, problemOf, spanOf } from './repack-problem.ts';

/** No placement exists, or the search ended before it knew. */
export type NoPlan = 'none' | 'exhausted';
/** `vehicleId` is the demand's own, null when the moves are all. */
export type Plan = { readonly moves: readonly Move[]; readonly vehicleId: string | null };

const MINUTE_MS = 60_000;
const ATTEMPTS = 3;

/**
 * Finds a plan and carries it out; anew when the calendar changed between the two. `apply` throws
 * `version-conflict` for that, and must leave nothing behind then.
 */
export async function byRepacking<T>(
  find: () => Promise<Plan | NoPlan>,
  apply: (plan: Plan) => Promise<T>,
): Promise<{ readonly done: T } | NoPlan> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const plan = await find();
    if (typeof plan === 'string') return plan;
    try {
      return { done: await apply(plan) };
    } catch (error) {
      if (!(error instanceof DomainError && error.code === 'version-conflict')) throw error;
    }
  }
  return 'exhausted';
}

export function isUnavailable(error: unknown): error is DomainError {
  return error instanceof DomainError && error.code === 'vehicle-unavailable';
}

/** The refusal as it was, but honest about why: nobody proved that there is no way. */
export function budgetExhausted({ code, message, details }: DomainError): DomainError {
  return new DomainError(code, message, { ...details, budgetExhausted: true });
}

const DEMAND = 'demand';

/** Moves that give a request a vehicle of its pool. */
export async function planReservation(
  db: Db,
  principal: string,
  request: RentalRequest,
  now: Clock = monotonicMs,
): Promise<Plan | NoPlan> {
  const { branchId, classId, returnBranchId: branchIn = branchId } = request;
  const turnaround = await inShort(db, principal, (tx) =>
    asked<number | null>(tx, sql`vehicles.turnaround_of(${branchIn})`),
  );
  const demand: RepackSpan = {
    id: DEMAND,
    from: Date.parse(request.pickUpAt),
    to: Date.parse(request.dueAt) + (turnaround ?? 0) * MINUTE_MS,
    branchOut: branchId,
    branchIn,
    vehicleId: null,
  };
  const asking = { db, principal, branchId, classId, now };
  return search(asking, demand, (problem) => ({
    ...problem,
    spans: [...problem.spans, demand],
  }));
}

type OwnSpan = {
  readonly spanId: string;
  readonly classId: string;
  readonly branchOut: string;
  readonly branchIn: string;
  readonly vehicleId: string | null;
  readonly grip: string;
  readonly from: string;
  readonly until: string;
  readonly turnaroundMinutes: number;
};

/**
 * Moves after which a rental can be extended: the tentative spans in its way go to other vehicles, or,
 * as long as it is tentative itself, it goes to one where it has the time.
 */
export async function planExtension(
  db: Db,
  principal: string,
  rentalId: string,
  dueAt: string,
  now: Clock = monotonicMs,
): Promise<Plan | NoPlan> {
  const own = await inShort(db, principal, (tx) =>
    asked<OwnSpan | null>(tx, sql`vehicles.span_of(${rentalId})`),
  );
  if (own === null || own.vehicleId === null) return 'none';
  const [from, until] = [instant(own.from), instant(own.until)];
  const to = Date.parse(dueAt) + own.turnaroundMinutes * MINUTE_MS;
  // Who is in the way of a vehicle that is out starts where it will be back.
  const { vehicleId, classId } = own;
  const branchId = own.grip === 'tentative' ? own.branchOut : own.branchIn;
  const asking = { db, principal, branchId, classId, now };
  if (own.grip === 'tentative') {
    const longer = { ...spanOf(own, { from, to }, null), leaves: vehicleId };
    return search(asking, longer, ({ vehicles, spans }) => ({
      vehicles,
      spans: [...spans.filter(({ id }) => id !== own.spanId), longer],
    }));
  }
  const added = { from: Math.min(until, to), to };
  return search(asking, { ...added, id: own.spanId }, ({ vehicles, spans }) => ({
    vehicles: vehicles.map((vehicle) => {
      if (vehicle.id !== vehicleId) return vehicle;
      const { branchIn: branchOut, branchIn } = own;
      return { ...vehicle, fixed: [...vehicle.fixed, { ...added, branchOut, branchIn }] };
    }),
    spans: spans.map((span) => {
      if (span.vehicleId !== vehicleId || span.from >= to || span.to <= until) return span;
      return { ...span, vehicleId: null, leaves: vehicleId };
    }),
  }));
}

type Ask = Period & { readonly id: string };
type Asking = {
  readonly db: Db;
  readonly principal: string;
  readonly branchId: string;
  readonly classId: string;
  readonly now: Clock;
};

/**
 * First among the spans that overlap the demand, then in wider and wider windows until all is seen
 * that these can reach: only then is a `none` the whole truth, unless a window proves it earlier.
 */
export async function search(
  { db, principal, now, ...pool }: Asking,
  ask: Ask,
  shaped: (problem: RepackProblem) => RepackProblem,
): Promise<Plan | NoPlan> {
  let window: Period = ask;
  let heldFrom: readonly string[] | null = null;
  let [nodes, ms] = [REPACK_BUDGET.nodes as number, REPACK_BUDGET.ms as number];
  for (let reads = 0; reads < MAX_READS && nodes > 0 && ms > 0; reads += 1) {
    const spans = await inShort(db, principal, (tx) =>
      poolSpans(tx, { ...pool, ...instants(window) }),
    );
    // A hold is asked about for the demand's own time; wider windows would meet later ones.
    heldFrom ??= spans.vehicles.filter((each) => each.heldForWindow).map((v) => v.vehicleId);
    const problem = shaped(problemOf(spans, { id: ask.id, heldFrom }));
    const beginning = now();
    if (isFullWithin(problem, window)) return 'none';
    const answer = repack(problem, now, { nodes, ms });
    if (answer.outcome === 'plan') return planOf(spans, answer.moves, ask.id);
    const reach = reachOf(problem);
    const isInside = window.from <= reach.from && reach.to <= window.to;
    if (isInside && (staysHome(problem) || window.to - window.from > LONGEST_MS)) {
      return answer.outcome;
    }
    nodes -= answer.nodes;
    ms -= now() - beginning;
    // A one-way rental, however early, decides where a vehicle is: then all of time is soon asked.
    const from = Math.min(window.from, reach.from);
    const to = Math.max(window.to, reach.to);
    const step = Math.max(to - from, DAY_MS) * (staysHome(problem) ? 1 : 10);
    window = { from: from - step, to: to + step };
  }
  return 'exhausted';
}

const DAY_MS = 24 * 60 * MINUTE_MS;
/** Nobody books further ahead. */
const LONGEST_MS = 800 * DAY_MS;
const MAX_READS = 6;

/** No vehicle comes from or goes to another branch, as far as is seen. */
function staysHome({ vehicles, spans }: RepackProblem): boolean {
  const homes = new Set([
    ...vehicles.flatMap(({ branchId, fixed }) => [branchId, ...fixed.flatMap(placesOf)]),
    ...spans.flatMap(placesOf),
  ]);
  return homes.size <= 1;
}

function placesOf({ branchOut, branchIn }: Pick<FixedTime, 'branchOut' | 'branchIn'>): string[] {
  return [branchOut, branchIn].filter((place) => place !== null);
}

function planOf(
  { spans }: PoolSpans,
  moves: readonly { readonly id: string; readonly vehicleId: string }[],
  demand: string,
): Plan {
  const versions = new Map(spans.map(({ spanId, version }) => [spanId, version]));
  return {
    vehicleId: moves.find(({ id }) => id === demand)?.vehicleId ?? null,
    moves: moves.flatMap(({ id: spanId, vehicleId }) => {
      const version = versions.get(spanId);
      return version === undefined ? [] : [{ spanId, version, vehicleId }];
    }),
  };
}

function inShort<T>(db: Db, principal: string, read: (tx: Tx) => Promise<T>): Promise<T> {
  return transact(db, 'rentals_rw', principal, read);
}

function instants({ from, to }: Period) {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

function monotonicMs(): number {
  return performance.now();
}
