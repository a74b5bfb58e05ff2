// A pool as the calendar tells it, in the words of the repack's rules: numbers for instants.
import type { Period, RepackProblem, RepackSpan } from '../../domain/repack/problem.ts';
import type { PoolSpans } from './calendar-repack.ts';

/** `demand` may not have the vehicles of `heldFrom`: a hard hold keeps them for its time. */
export function problemOf(
  { hull, vehicles, spans }: PoolSpans,
  demand: { readonly id: string; readonly heldFrom: readonly string[] },
): RepackProblem {
  return {
    vehicles: vehicles.map(({ vehicleId, startBranch, nextBranch, blocked, heldFor }) => {
      const fixed = blocked.map(({ branchOut, branchIn, ...times }) => {
        return { ...periodOf(times), branchOut, branchIn };
      });
      const end = Math.max(instant(hull.to), ...fixed.map(({ to }) => to));
      // What comes after the hull begins somewhere; nothing here may leave the vehicle elsewhere.
      const after = { branchOut: nextBranch, branchIn: nextBranch };
      if (nextBranch !== null) fixed.push({ from: end, to: Number.POSITIVE_INFINITY, ...after });
      const refuses = demand.heldFrom.includes(vehicleId) ? [...heldFor, demand.id] : heldFor;
      return { id: vehicleId, branchId: startBranch, fixed, refuses };
    }),
    spans: spans.map((span) => spanOf(span, periodOf(span), span.vehicleId)),
  };
}

export function spanOf(
  span: { readonly spanId: string; readonly branchOut: string; readonly branchIn: string },
  period: Period,
  vehicleId: string | null,
): RepackSpan {
  const { spanId: id, branchOut, branchIn } = span;
  return { id, ...period, branchOut, branchIn, vehicleId };
}

function periodOf({ from, to }: { readonly from: string; readonly to: string }): Period {
  return { from: instant(from), to: instant(to) };
}

/** Blocks may be without an end; PostgreSQL says so in words. */
export function instant(text: string): number {
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  if (text === '-infinity') return Number.NEGATIVE_INFINITY;
  return Date.parse(text);
}
