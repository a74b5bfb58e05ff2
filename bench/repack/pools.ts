// Random pools that are nearly full, as summer Saturdays are, and demands that find no free vehicle.
import type { FixedTime, RepackProblem, RepackSpan } from '../../domain/repack/problem.ts';
import { meet } from '../../domain/repack/problem.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOME = 'VIE';
const AWAY = 'GRZ';

export type Random = () => number;

export type Mix = {
  readonly load: number;
  readonly days: number;
  /** Share of spans that do not move: out, firm, workshop, transfers, holds. */
  readonly fixed: number;
  readonly oneWay: number;
};

/** 20 to 50 vehicles whose time is taken to `load`, with one demand that no vehicle is free for. */
export function randomPool(random: Random, mix: Mix): RepackProblem {
  const size = 20 + Math.floor(random() * 31);
  const spans: RepackSpan[] = [];
  const vehicles = Array.from({ length: size }, (_, n) => {
    const id = `v${n}`;
    const fixed: FixedTime[] = [];
    for (const time of timesOf(id, random, mix)) {
      if (time.branchOut !== HOME || random() < mix.fixed) fixed.push(time);
      else spans.push(time);
    }
    return { id, branchId: HOME, fixed };
  });
  const taken = [
    ...spans,
    ...vehicles.flatMap(({ id, fixed }) => fixed.map((t) => ({ ...t, id }))),
  ];
  for (;;) {
    const from = Math.floor(random() * mix.days * 24) * HOUR_MS;
    const to = from + rentalLength(random);
    const busy = new Set(
      taken
        .filter((time) => meet(time, { from, to }))
        .map((time) => ('vehicleId' in time ? time.vehicleId : time.id)),
    );
    if (busy.size < size) continue;
    const demand = { id: 'demand', from, to, branchOut: HOME, branchIn: HOME, vehicleId: null };
    return { vehicles, spans: [...spans, demand] };
  }
}

/** One vehicle's spans, one after the other with idle time between, home again after each trip. */
function timesOf(vehicleId: string, random: Random, { load, days, oneWay }: Mix): RepackSpan[] {
  const times: RepackSpan[] = [];
  let [at, place] = [-Math.floor(random() * 14 * 24) * HOUR_MS, HOME];
  const end = (days + 14) * DAY_MS;
  while (at < end) {
    const to = at + rentalLength(random);
    const branchIn = random() < oneWay ? (place === HOME ? AWAY : HOME) : place;
    times.push({ id: `${vehicleId}/${at}`, from: at, to, branchOut: place, branchIn, vehicleId });
    place = branchIn;
    const idle = (to - at) * (1 / load - 1) * 2 * random();
    at = to + Math.round(idle / HOUR_MS) * HOUR_MS;
  }
  return times;
}

/** Mostly a few days, seldom two weeks, to the full hour; turnaround included. */
function rentalLength(random: Random): number {
  const days = random() < 0.1 ? 7 + random() * 7 : 0.5 + random() * random() * 7;
  return Math.ceil(days * 24) * HOUR_MS;
}

/** Random numbers from 0 to 1, the same in every run (mulberry32). */
export function generator(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
