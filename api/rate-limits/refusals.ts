// Who was refused just now, so that they are turned away again without anybody being asked.
import type { TierVerdict } from './limiter.ts';

export type Refusals = {
  /** The verdict of then with the time that is left; undefined when there is none, or it is over. */
  readonly of: (key: string) => TierVerdict | undefined;
  /** For `ms`: at most until the quota has more again. */
  readonly remember: (key: string, verdict: TierVerdict, ms: number) => void;
};

/** How many a process remembers; the first are forgotten first. */
const MAX_REFUSED = 10_000;

export function createRefusals(): Refusals {
  type Refused = { readonly until: number; readonly at: number; readonly verdict: TierVerdict };
  const refused = new Map<string, Refused>();
  return {
    of: (key) => {
      const known = refused.get(key);
      if (known === undefined) return undefined;
      const now = performance.now();
      if (now < known.until) {
        return { ...known.verdict, resetMs: known.verdict.resetMs - (now - known.at) };
      }
      refused.delete(key);
      return undefined;
    },
    remember: (key, verdict, ms) => {
      const [oldest] = refused.keys();
      if (refused.size >= MAX_REFUSED && oldest !== undefined) refused.delete(oldest);
      const at = performance.now();
      refused.set(key, { at, until: at + Math.min(ms, verdict.resetMs), verdict });
    },
  };
}
