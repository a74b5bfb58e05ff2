// Another exact solver, and a checker of plans: they share nothing with the product's but the types.
import type { FixedTime, RepackProblem, RepackSpan } from '../../domain/repack/problem.ts';

/** `passed` is the time before which its fixed times are accounted for. */
type Standing = { readonly freeAt: number; readonly place: string; readonly passed: number };

/**
 * Whether all spans can have a vehicle: every choice of every span in order of its start, with the
 * states that failed remembered. For small problems only.
 */
export function canBePlaced({ vehicles, spans }: RepackProblem): boolean {
  const order = [...spans].sort((a, b) => a.from - b.from);
  const failed = new Set<string>();
  /** Passes the fixed times that begin before `until`; null when the vehicle is elsewhere. */
  const passed = (vehicle: number, standing: Standing, until: number): Standing | null => {
    let { freeAt, place } = standing;
    const fixed = vehicles[vehicle]?.fixed ?? [];
    for (const time of [...fixed].sort((a, b) => a.from - b.from)) {
      if (time.from < standing.passed || time.from >= until) continue;
      if (time.branchOut !== null && time.branchOut !== place) return null;
      freeAt = Math.max(freeAt, time.to);
      place = time.branchIn ?? place;
    }
    return { freeAt, place, passed: until };
  };
  const place = (index: number, standings: readonly Standing[]): boolean => {
    const span = order[index];
    const until = span?.from ?? Number.POSITIVE_INFINITY;
    const now = standings.map((standing, vehicle) => passed(vehicle, standing, until));
    if (now.includes(null)) return false;
    if (span === undefined) return true;
    const current = now as readonly Standing[];
    const key = JSON.stringify([index, current.map((s) => [Math.max(s.freeAt, until), s.place])]);
    if (failed.has(key)) return false;
    const fits = current.some((standing, vehicle) => {
      const fixed = vehicles[vehicle]?.fixed ?? [];
      if (standing.freeAt > span.from || standing.place !== span.branchOut) return false;
      if (fixed.some((time) => overlap(time, span))) return false;
      if (vehicles[vehicle]?.refuses?.includes(span.id)) return false;
      const next = { ...standing, freeAt: span.to, place: span.branchIn };
      return place(index + 1, current.with(vehicle, next));
    });
    if (!fits) failed.add(key);
    return fits;
  };
  const start = { freeAt: Number.NEGATIVE_INFINITY, passed: Number.NEGATIVE_INFINITY };
  return place(
    0,
    vehicles.map(({ branchId }) => ({ ...start, place: branchId })),
  );
}

/** What is wrong with the calendar once the moves are made; empty when nothing is. */
export function faultsOf(
  { vehicles, spans }: RepackProblem,
  moves: readonly { readonly id: string; readonly vehicleId: string }[],
): readonly string[] {
  const moved = new Map(moves.map(({ id, vehicleId }) => [id, vehicleId]));
  const at = (span: RepackSpan) => moved.get(span.id) ?? span.vehicleId;
  const known = new Set(vehicles.map(({ id }) => id));
  const homeless = spans.filter((span) => !known.has(at(span) ?? '')).map(({ id }) => `${id} none`);
  const faults = vehicles.flatMap(({ id, branchId, fixed, refuses = [] }) => {
    const own = spans.filter((span) => at(span) === id);
    const times: FixedTime[] = [...fixed, ...own];
    times.sort((a, b) => a.from - b.from);
    const refused = own.filter((span) => refuses.includes(span.id));
    const found = refused.map((span) => `${id} refuses ${span.id}`);
    let [freeAt, place] = [Number.NEGATIVE_INFINITY, branchId];
    for (const time of times) {
      if (time.from < freeAt) found.push(`${id} twice at ${time.from}`);
      if (time.branchOut !== null && time.branchOut !== place) found.push(`${id} is at ${place}`);
      freeAt = Math.max(freeAt, time.to);
      place = time.branchIn ?? place;
    }
    return found;
  });
  return [...homeless, ...faults];
}

function overlap(a: FixedTime, b: FixedTime): boolean {
  return a.from < b.to && b.from < a.to;
}
