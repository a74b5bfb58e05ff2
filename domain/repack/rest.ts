// The open-ended stretches: nothing comes after them, so any of them will do for what is left.
import type { Placement } from './search.ts';
import type { Timeline } from './timeline.ts';

/**
 * The stretches that last beyond all spans, that bar none of them, and that end alike: where spans
 * lead elsewhere only those that must end at one place, or best those that may end anywhere.
 */
export function spareStretches(line: Timeline): ReadonlySet<number> {
  const last = line.ends.reduce((latest, end) => Math.max(latest, end), 0);
  const plain = [...line.stretches.keys()].filter((index) => {
    const stretch = line.stretches[index];
    const isPlain = stretch?.holes.length === 0 && stretch.refuses.length === 0;
    return isPlain && (line.closes[index] ?? 0) >= last;
  });
  if (line.out.every((place, span) => place === line.in[span])) return new Set(plain);
  const ends = plain.map((index) => line.after[index] ?? -1);
  const end = ends.includes(-1) ? -1 : ends[0];
  return new Set(plain.filter((_, at) => ends[at] === end));
}

type Open = { readonly index: number; readonly vehicleId: string; place: number; freeAt: number };

/**
 * Places what no route has (`owners` is -1) on the open stretches, by start: each span keeps its
 * vehicle when it can, else takes one that is wanted last. Null when one finds none.
 */
export function placeRest(
  line: Timeline,
  open: ReadonlySet<number>,
  owners: Int32Array,
): Placement | null {
  const placement = new Map<string, string>();
  const vehicles = [...open].map((index): Open => {
    const vehicleId = line.stretches[index]?.vehicleId ?? '';
    return { index, vehicleId, place: line.before[index] ?? 0, freeAt: line.opens[index] ?? 0 };
  });
  const order = [...line.spans.keys()].sort(
    (a, b) => (line.begins[a] ?? 0) - (line.begins[b] ?? 0),
  );
  const left = order.filter((span) => owners[span] === -1);
  for (const [span, owner] of owners.entries()) {
    const [id, vehicleId] = [line.spans[span]?.id, line.stretches[owner]?.vehicleId];
    if (id !== undefined && vehicleId !== undefined) placement.set(id, vehicleId);
  }
  const wanted = timesWanted(line, left);
  for (const span of left) {
    const begins = line.begins[span] ?? 0;
    const own = line.spans[span]?.vehicleId;
    wanted.get(own ?? '')?.shift();
    let best: Open | undefined;
    let latest = -1;
    for (const vehicle of vehicles) {
      if (vehicle.freeAt > begins || vehicle.place !== line.out[span]) continue;
      const next = wanted.get(vehicle.vehicleId)?.[0] ?? line.moments;
      const rank = vehicle.vehicleId === own ? Number.POSITIVE_INFINITY : next;
      if (rank > latest) [best, latest] = [vehicle, rank];
    }
    if (best === undefined) return null;
    best.freeAt = line.ends[span] ?? 0;
    best.place = line.in[span] ?? 0;
    placement.set(line.spans[span]?.id ?? '', best.vehicleId);
  }
  return vehicles.every((each) => isHome(line, each)) ? placement : null;
}

function isHome(line: Timeline, { index, place }: Open): boolean {
  const after = line.after[index] ?? -1;
  return after === -1 || after === place;
}

/** By vehicle, when the spans that have it today begin, in order. */
function timesWanted(line: Timeline, left: readonly number[]): Map<string, number[]> {
  const wanted = new Map<string, number[]>();
  for (const span of left) {
    const vehicleId = line.spans[span]?.vehicleId ?? '';
    const times = wanted.get(vehicleId);
    if (times === undefined) wanted.set(vehicleId, [line.begins[span] ?? 0]);
    else times.push(line.begins[span] ?? 0);
  }
  return wanted;
}
