// Half-open spans of time, as the calendar keeps them: the end belongs to what comes next.

const MINUTE_MS = 60_000;

/** `[from, to)`; both are ISO 8601 with an offset. */
export type Span = { readonly from: string; readonly to: string };

/** True when both take some moment. A span that ends as another begins does not overlap it. */
export function overlaps(a: Span, b: Span): boolean {
  return (
    Date.parse(a.from) < Date.parse(b.to) &&
    Date.parse(b.from) < Date.parse(a.to) &&
    !isEmpty(a) &&
    !isEmpty(b)
  );
}

/** What a rental takes of its vehicle: `[from, to + turnaround)`, cleaning included. In UTC. */
export function withTurnaround({ from, to }: Span, turnaroundMinutes: number): Span {
  const freeAt = Date.parse(to) + turnaroundMinutes * MINUTE_MS;
  return { from, to: new Date(freeAt).toISOString() };
}

/** As in SQL, a span from a moment to itself takes nothing. */
function isEmpty({ from, to }: Span): boolean {
  return Date.parse(from) >= Date.parse(to);
}
