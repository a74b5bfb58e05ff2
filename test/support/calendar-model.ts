// A calendar in memory, without SQL: what the real one may answer, given where it placed the spans.
import type { SpanRow } from './fleet.ts';

export const TURNAROUND_H = 0.5;

/** A rental as the model knows it; times are hours since the tests' common beginning. */
export type Rental = {
  readonly id: string;
  readonly state: 'reserved' | 'out' | 'returned' | 'released';
  readonly from: number;
  readonly due: number;
  /** The end of its span: turnaround, rolling and cuts included. */
  readonly until: number;
};

/** Where the real calendar put a rental; null while it waits. */
export type Placed = {
  readonly id: string;
  readonly vehicle: string | null;
  readonly grip: string;
  readonly from: number;
  readonly until: number;
  readonly reason: string | null;
};

export function placed(row: SpanRow, beginning: string): Placed {
  const hours = (instant: string) => (Date.parse(instant) - Date.parse(beginning)) / 3_600_000;
  const { ref: id, vehicleId: vehicle, grip, reason } = row;
  return { id, vehicle, grip, reason, from: hours(row.from), until: hours(row.until) };
}

export type Range = { readonly from: number; readonly until: number };

function meet(a: Range, b: Range): boolean {
  return a.from < b.until && b.from < a.until;
}

/** The spans of a vehicle that are in the way of `range`; `but` is the one that asks. */
export function inTheWay(
  spans: readonly Placed[],
  vehicle: string | null,
  range: Range,
  but?: string,
): readonly Placed[] {
  return spans.filter((s) => s.vehicle === vehicle && s.id !== but && meet(s, range));
}

export function freeVehicles(
  spans: readonly Placed[],
  vehicles: readonly string[],
  range: Range,
  but?: string,
): readonly string[] {
  return vehicles.filter((vehicle) => inTheWay(spans, vehicle, range, but).length === 0);
}

const MOST_IDLE_H = 30 * 24;

/** Idle hours that `range` leaves around itself on a free vehicle; a side counts 30 days at most. */
export function idle(spans: readonly Placed[], vehicle: string, range: Range): number {
  const own = spans.filter((s) => s.vehicle === vehicle);
  const before = Math.max(...own.map((s) => s.until).filter((until) => until <= range.from));
  const after = Math.min(...own.map((s) => s.from).filter((from) => from >= range.until));
  return gap(range.from - before) + gap(after - range.until);
}

function gap(hours: number): number {
  return Math.min(hours, MOST_IDLE_H);
}

/** What the real calendar must show for a rental of the model. */
export function expectedGrip(rental: Rental, actual: Placed): string {
  switch (rental.state) {
    case 'reserved':
      return actual.vehicle === null ? 'unassigned' : 'tentative';
    case 'out':
      return 'out';
    case 'returned':
      return 'firm';
    case 'released':
      return 'released';
    default:
      return rental.state satisfies never;
  }
}

/** A branch's day as far as it was walked. */
export type Day = {
  readonly branchId: string;
  readonly vehicles: readonly string[];
  /** Hours since the tests' common beginning; only `advance` moves it. */
  clock: number;
  readonly rentals: Map<string, Rental>;
  /** The real placements after the last step. */
  spans: readonly Placed[];
  /** The last step freed time, so whoever waits must have been served from it. */
  served: boolean;
};

export function emptyDay(branchId: string, vehicles: readonly string[]): Day {
  return { branchId, vehicles, clock: 0, rentals: new Map(), spans: [], served: false };
}

/** One of the rentals that a step may be about. */
export function choose(
  day: Day,
  pick: number,
  applies: (r: Rental) => boolean,
): Rental | undefined {
  const some = [...day.rentals.values()].filter(applies);
  return some[pick % Math.max(some.length, 1)];
}

export function spanIn(day: Day, rental: Rental): Placed {
  const span = day.spans.find((s) => s.id === rental.id);
  if (span === undefined) throw new Error(`${rental.id} has no span`);
  return span;
}
