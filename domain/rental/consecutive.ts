// Contracts of one customer for one vehicle, one right after the other: how long the hire is already.

/** Of that vehicle; instants are ISO 8601 in UTC. */
export type EarlierHire = { readonly from: string; readonly to: string };

const MINUTE_MS = 60_000;
/** With a gap of two days or less they count as one hire for VAT (decisions.md 19). */
const LONGEST_GAP_MS = 48 * 60 * MINUTE_MS;

/**
 * The minutes of the hires before `startsAt` that lead up to it without a longer gap, the gaps themselves
 * left out; null when none does.
 */
export function precedingMinutes(earlier: readonly EarlierHire[], startsAt: string): number | null {
  let start = Date.parse(startsAt);
  let lengthMs = 0;
  for (const { from, to } of earlier.toSorted((a, b) => Date.parse(b.to) - Date.parse(a.to))) {
    if (Date.parse(to) > start) continue;
    if (start - Date.parse(to) > LONGEST_GAP_MS) break;
    lengthMs += Date.parse(to) - Date.parse(from);
    start = Date.parse(from);
  }
  return lengthMs < MINUTE_MS ? null : Math.floor(lengthMs / MINUTE_MS);
}
