// The vehicles that a rental has one after the other: what each earns, and for how long one is an upgrade.
import { allocate, type Minor } from '../money.ts';
import type { Quote } from '../pricing.ts';

/** Of one vehicle; `to` null while it is out. Instants are ISO 8601 in UTC. */
export type SegmentTime = { readonly from: string; readonly to: string | null };

/** The plan of the better class, while that is paid for; null for what was booked or is free. */
export type UpgradePlan = { readonly id: string; readonly version: number };
export type PricedSegment = SegmentTime & { readonly upgrade: UpgradePlan | null };
export type UpgradeTime = {
  readonly from: string;
  readonly until: string;
  readonly plan: UpgradePlan;
};

/**
 * The net revenue of each vehicle: fuel is that of its own tank, all else goes by its own seconds, in
 * parts that sum to the whole (largest remainder; decisions.md 13). `until` ends what is still out.
 */
export function revenueOf(
  { lines, netMinor }: Pick<Quote, 'lines' | 'netMinor'>,
  segments: readonly SegmentTime[],
  until: string,
): readonly Minor[] {
  const own = segments.map((_, at) =>
    lines
      .filter(({ basis }) => basis['segment'] === at + 1)
      .reduce((sum, line) => sum + line.netMinor, 0),
  );
  const shared = netMinor - own.reduce((sum, amount) => sum + amount, 0);
  const seconds = segments.map(({ from, to }) => secondsBetween(from, to ?? until));
  const isInstant = seconds.every((one) => one === 0);
  const shares = allocate(shared, isInstant ? seconds.map(() => 1) : seconds);
  return shares.map((share, at) => share + (own[at] ?? 0));
}

function secondsBetween(from: string, to: string): number {
  return Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1_000));
}

/**
 * From when to when which better class is paid for: vehicles of one upgrade in a row are one time, so
 * that its days are counted once. `until` is when the rental ends.
 */
export function upgradeTimes(
  segments: readonly PricedSegment[],
  until: string,
): readonly UpgradeTime[] {
  const times: UpgradeTime[] = [];
  for (const { from, to, upgrade } of segments) {
    if (upgrade === null) continue;
    const end = to ?? until;
    const last = times.at(-1);
    const goesOn = last?.until === from && isSame(last.plan, upgrade);
    if (goesOn && last !== undefined) times[times.length - 1] = { ...last, until: end };
    else times.push({ from, until: end, plan: upgrade });
  }
  return times.filter((time) => Date.parse(time.until) > Date.parse(time.from));
}

function isSame(a: UpgradePlan, b: UpgradePlan): boolean {
  return a.id === b.id && a.version === b.version;
}
