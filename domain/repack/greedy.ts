// Repacking where nothing is fixed: by start time, which is exact there and needs no search.
import { isOneWay, meet, type Period, type RepackSpan } from './problem.ts';
import type { Placement } from './search.ts';
import type { Stretch } from './stretches.ts';

/**
 * The vehicles of which the whole window is free, at the place of all spans; null when some vehicle
 * is free for a part of it or refuses one of them, or a span leads elsewhere: then only a search is
 * exact.
 */
export function freeThroughout(
  spans: readonly RepackSpan[],
  stretches: readonly Stretch[],
): readonly string[] | null {
  const place = spans[0]?.branchOut;
  if (spans.some((span) => isOneWay(span) || span.branchOut !== place)) return null;
  const window = hull(spans);
  const touched = stretches.filter((stretch) => stretch.before === place && meet(stretch, window));
  const isFree = ({ from, to, holes, refuses }: Stretch) =>
    from <= window.from &&
    window.to <= to &&
    !holes.some((hole) => meet(hole, window)) &&
    !spans.some(({ id }) => refuses.includes(id));
  return touched.every(isFree) ? touched.map((stretch) => stretch.vehicleId) : null;
}

function hull(spans: readonly RepackSpan[]): Period {
  return {
    from: Math.min(...spans.map((span) => span.from)),
    to: Math.max(...spans.map((span) => span.to)),
  };
}

/** Each span keeps its vehicle when it can; else it takes one that nobody has next for longest. */
export function placeByStart(
  spans: readonly RepackSpan[],
  vehicleIds: readonly string[],
): Placement | null {
  const freeAt = new Map(vehicleIds.map((id) => [id, Number.NEGATIVE_INFINITY]));
  const order = [...spans].sort((a, b) => a.from - b.from);
  const placement = new Map<string, string>();
  for (const [index, span] of order.entries()) {
    const isFree = (id: string) => (freeAt.get(id) ?? Number.POSITIVE_INFINITY) <= span.from;
    const own = span.vehicleId;
    const vehicle =
      own !== null && isFree(own)
        ? own
        : leastWanted(vehicleIds.filter(isFree), order.slice(index));
    if (vehicle === undefined) return null;
    freeAt.set(vehicle, span.to);
    placement.set(span.id, vehicle);
  }
  return placement;
}

function leastWanted(free: readonly string[], later: readonly RepackSpan[]): string | undefined {
  const wanted = new Set<string>();
  let last = free[0];
  for (const { vehicleId } of later) {
    if (vehicleId === null || wanted.has(vehicleId) || !free.includes(vehicleId)) continue;
    wanted.add(vehicleId);
    last = vehicleId;
  }
  return free.find((id) => !wanted.has(id)) ?? last;
}
