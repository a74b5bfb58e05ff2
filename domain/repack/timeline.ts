// What no placement changes: how many vehicles rest at each place between any two moments.
import type { RepackSpan } from './problem.ts';
import type { Stretch } from './stretches.ts';

/**
 * Spans, stretches, places and moments by number. A moment is when anything begins or ends; what is
 * said of it holds until the next one. `slot(line, place, moment)` is where `resting` counts.
 */
export type Timeline = {
  readonly spans: readonly RepackSpan[];
  readonly stretches: readonly Stretch[];
  readonly moments: number;
  readonly places: number;
  /** By span: its first moment, the first one after it, and its two places. */
  readonly begins: Int32Array;
  readonly ends: Int32Array;
  readonly out: Int32Array;
  readonly in: Int32Array;
  /** By stretch, likewise; `after` is -1 where nothing is asked. */
  readonly opens: Int32Array;
  readonly closes: Int32Array;
  readonly before: Int32Array;
  readonly after: Int32Array;
  /** Spans by the moment at which they begin, and by that at which they end. */
  readonly beginning: readonly (readonly number[])[];
  readonly ending: readonly (readonly number[])[];
  readonly resting: Int32Array;
  /** False where a stretch was taken to end where it began although it may end anywhere. */
  readonly isExact: boolean;
};

export function timelineOf(spans: readonly RepackSpan[], stretches: readonly Stretch[]): Timeline {
  const ends = [...spans, ...stretches].flatMap(({ from, to }) => [from, to]);
  const times = [...new Set([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, ...ends])];
  times.sort((a, b) => a - b);
  const moments = new Map(times.map((time, index) => [time, index]));
  const asked = stretches.flatMap(({ before, after }) =>
    after === null ? [before] : [before, after],
  );
  const names = new Set([...spans.flatMap((span) => [span.branchOut, span.branchIn]), ...asked]);
  const places = new Map([...names].map((name, index) => [name, index]));
  const numbers = <T>(
    all: readonly T[],
    known: ReadonlyMap<unknown, number>,
    of: (each: T) => unknown,
  ) => Int32Array.from(all, (each) => known.get(of(each)) ?? -1);
  const isLoose = ({ to, after }: Stretch) => after === null && to !== Number.POSITIVE_INFINITY;
  const begins = numbers(spans, moments, (span) => span.from);
  const endings = numbers(spans, moments, (span) => span.to);
  const line = {
    spans,
    stretches,
    moments: times.length,
    places: places.size,
    begins,
    ends: endings,
    out: numbers(spans, places, (span) => span.branchOut),
    in: numbers(spans, places, (span) => span.branchIn),
    opens: numbers(stretches, moments, (stretch) => stretch.from),
    closes: numbers(stretches, moments, (stretch) => stretch.to),
    before: numbers(stretches, places, (stretch) => stretch.before),
    after: numbers(stretches, places, (each) => (isLoose(each) ? each.before : each.after)),
    beginning: byMoment(begins, times.length),
    ending: byMoment(endings, times.length),
    isExact: !stretches.some(isLoose) || !spans.some((span) => span.branchOut !== span.branchIn),
  };
  return { ...line, resting: restingOf(line) };
}

function byMoment(momentOf: Int32Array, moments: number): number[][] {
  const found: number[][] = Array.from({ length: moments }, () => []);
  for (const [span, moment] of momentOf.entries()) found[moment]?.push(span);
  return found;
}

export function slot({ moments }: { readonly moments: number }, place: number, moment: number) {
  return place * moments + moment;
}

function restingOf(line: Omit<Timeline, 'resting'>): Int32Array {
  const resting = new Int32Array(line.places * line.moments);
  const add = (place: number, moment: number, vehicles: number) => {
    if (place === -1) return;
    const at = slot(line, place, moment);
    resting[at] = (resting[at] ?? 0) + vehicles;
  };
  for (let stretch = 0; stretch < line.stretches.length; stretch += 1) {
    add(line.before[stretch] ?? -1, line.opens[stretch] ?? 0, 1);
    add(line.after[stretch] ?? -1, line.closes[stretch] ?? 0, -1);
  }
  for (let span = 0; span < line.spans.length; span += 1) {
    add(line.out[span] ?? -1, line.begins[span] ?? 0, -1);
    add(line.in[span] ?? -1, line.ends[span] ?? 0, 1);
  }
  for (let at = 1; at < resting.length; at += 1) {
    if (at % line.moments !== 0) resting[at] = (resting[at] ?? 0) + (resting[at - 1] ?? 0);
  }
  return resting;
}

/** At some moment more vehicles are asked for at a place than can be there: nothing can help. */
export function isShort({ resting, isExact }: Timeline): boolean {
  return isExact && resting.some((vehicles) => vehicles < 0);
}
