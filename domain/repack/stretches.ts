// Where a vehicle can be used: the stretches between its fixed times, and the place at either end.

import {
  type FixedTime,
  isOneWay,
  meet,
  type Period,
  type RepackProblem,
  type RepackSpan,
  type RepackVehicle,
} from './problem.ts';

/** A time in which nothing fixed moves the vehicle. What is used in it must chain its two places. */
export type Stretch = Period & {
  readonly vehicleId: string;
  /** Where the vehicle is when the stretch begins. */
  readonly before: string;
  /** Where it must be when the stretch ends; null when nothing follows that asks. */
  readonly after: string | null;
  /** Times within that are taken without moving the vehicle. */
  readonly holes: readonly Period[];
  readonly refuses: readonly string[];
};

/**
 * The stretches of a vehicle. A break of place between two fixed times that no movable one-way span
 * carries today is somebody else's to repair: such a stretch asks for nothing at its end.
 */
export function stretchesOf(
  vehicle: RepackVehicle,
  frozen: readonly RepackSpan[],
  movable: readonly RepackSpan[],
): Stretch[] {
  const fixed: FixedTime[] = [...vehicle.fixed, ...frozen].sort((a, b) => a.from - b.from);
  const holes = fixed.filter((time) => time.branchOut === null);
  const carriers = movable.filter((span) => isOneWay(span) && isOn(vehicle, span));
  const stretches: Stretch[] = [];
  let [from, before] = [Number.NEGATIVE_INFINITY, vehicle.branchId];
  // One that is to leave may begin before the fixed time ends that it makes room for.
  let since = from;
  const close = (to: number, after: string | null) => {
    const period = { from, to };
    if (from >= to) return;
    const isAsked =
      after === before || carriers.some((span) => since <= span.from && span.from < to);
    const within = holes.filter((hole) => meet(hole, period));
    const { id: vehicleId, refuses = [] } = vehicle;
    stretches.push({
      ...period,
      vehicleId,
      refuses,
      before,
      after: isAsked ? after : null,
      holes: within,
    });
  };
  for (const time of fixed) {
    if (time.branchOut === null) continue;
    close(time.from, time.branchOut);
    from = Math.max(from, time.to);
    since = time.from;
    before = time.branchIn ?? time.branchOut;
  }
  close(Number.POSITIVE_INFINITY, null);
  return stretches;
}

function isOn({ id }: RepackVehicle, { vehicleId, leaves }: RepackSpan): boolean {
  return (vehicleId ?? leaves) === id;
}

/**
 * Where a span contradicts its vehicle's other times already (a hold came, a place is wrong), it is
 * not for a repack to repair: it becomes one of the fixed times, and stays.
 */
export function withBrokenOnesFixed({ vehicles, spans }: RepackProblem): RepackProblem {
  const byVehicle = Map.groupBy(spans, (span) => span.vehicleId);
  const byLeft = Map.groupBy(spans, ({ vehicleId, leaves }) => (vehicleId ? null : leaves));
  const broken = new Set<FixedTime>();
  const repaired = vehicles.map((vehicle) => {
    const own = byVehicle.get(vehicle.id) ?? [];
    const isBarred = (span: RepackSpan) =>
      vehicle.refuses?.includes(span.id) || vehicle.fixed.some((time) => meet(time, span));
    const stay = new Set<FixedTime>(own.filter(isBarred));
    const leaving = new Set<FixedTime>(byLeft.get(vehicle.id));
    const moving = vehicle.fixed.filter(({ branchOut }) => branchOut !== null);
    let place = vehicle.branchId;
    for (const time of [...moving, ...own, ...leaving].sort((a, b) => a.from - b.from)) {
      if (time.branchOut !== place && !leaving.has(time)) stay.add(time);
      place = time.branchIn ?? place;
    }
    const fixed = [...vehicle.fixed, ...own.filter((span) => stay.has(span))];
    for (const span of stay) broken.add(span);
    return { ...vehicle, fixed };
  });
  return { vehicles: repaired, spans: spans.filter((span) => !broken.has(span)) };
}

export function contains(outer: Period, inner: Period): boolean {
  return outer.from <= inner.from && inner.to <= outer.to;
}

/** There is room for the span, and the vehicle is where it starts; where it ends is not asked. */
export function admits(stretch: Stretch, span: RepackSpan): boolean {
  return stretch.before === span.branchOut && hasRoomFor(stretch, span);
}

/** As far as times and holds go, wherever the vehicle is. */
export function hasRoomFor(stretch: Stretch, span: RepackSpan): boolean {
  return (
    contains(stretch, span) &&
    !stretch.refuses.includes(span.id) &&
    !stretch.holes.some((hole) => meet(hole, span))
  );
}
