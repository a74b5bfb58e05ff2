// A sliding window in this process alone: what limits go by while Redis is not to be had.

/** Of a request that asked: whether it may, and what is left in the window that slides with time. */
export type Verdict = {
  readonly allowed: boolean;
  readonly quota: number;
  readonly remaining: number;
  /** Until the oldest requests leave the window, and there is more again. */
  readonly resetMs: number;
};

/**
 * The window moves in twelve steps. The step that has half left it counts in full, so no window of
 * any position ever holds more than the quota, at the price of waiting up to a step longer.
 */
export const STEPS = 12;

/** A peer with many addresses must not make this process grow: the idlest are forgotten first. */
const MAX_KEYS = 20_000;

export type LocalWindow = {
  /** Asks for `cost`; refused, it counts nothing. */
  readonly take: (key: string, quota: number, cost: number) => Verdict;
  /** Counts what was allowed elsewhere. */
  readonly note: (key: string, cost: number) => void;
};

/** `now` in milliseconds. */
export function localWindow(windowMs: number, now: () => number): LocalWindow {
  const stepMs = windowMs / STEPS;
  const counts = new Map<string, Map<number, number>>();
  const touch = (key: string, step: number) => {
    const steps = counts.get(key) ?? new Map<number, number>();
    counts.delete(key);
    counts.set(key, steps);
    for (const counted of steps.keys()) if (counted < step - STEPS) steps.delete(counted);
    const [idlest] = counts.keys();
    if (counts.size > MAX_KEYS && idlest !== undefined) counts.delete(idlest);
    return steps;
  };
  const add = (steps: Map<number, number>, step: number, cost: number) =>
    steps.set(step, (steps.get(step) ?? 0) + cost);
  return {
    take: (key, quota, cost) => {
      const step = Math.floor(now() / stepMs);
      const steps = touch(key, step);
      const used = sum(steps.values());
      const allowed = used + cost <= quota;
      if (allowed) add(steps, step, cost);
      const first = Math.min(step, ...steps.keys());
      return {
        allowed,
        quota,
        remaining: Math.max(0, quota - used - (allowed ? cost : 0)),
        resetMs: Math.ceil((first + STEPS + 1) * stepMs - now()),
      };
    },
    note: (key, cost) => {
      const step = Math.floor(now() / stepMs);
      add(touch(key, step), step, cost);
    },
  };
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
