// Opening hours as instants: the branch's local periods, put on the clock of its zone.
import { instantAt, localDate } from '../domain/calendar.ts';
import { dateAfter, isOpen, type OpeningHours, openingsOn } from '../domain/opening-hours.ts';
import type { Span } from '../domain/span.ts';

/** As vehicles.opening_hours_at answers it. */
export type HoursAt = OpeningHours & { readonly timeZone: string };

/** How far ahead the next opening is looked for; the exceptions reach as far. */
const DAYS_AHEAD = 60;

/** What begins on the local dates from `from` to `to`, in order. */
export function openingsBetween(hours: HoursAt, from: string, to: string): readonly Span[] {
  const openings: Span[] = [];
  for (let date = from; date <= to; date = dateAfter(date, 1)) {
    for (const local of openingsOn(hours, date)) {
      openings.push({
        from: instantAt(local.from, hours.timeZone, 'first'),
        to: instantAt(local.to, hours.timeZone, 'last'),
      });
    }
  }
  return openings.toSorted((a, b) => Date.parse(a.from) - Date.parse(b.from));
}

/**
 * What decides about `at`, beginning the day before, whose hours may reach over midnight. Looks far
 * ahead only when the branch is closed then and somebody has to hear when it opens.
 */
export function openingsAround(hours: HoursAt, at: string): readonly Span[] {
  const date = localDate(at, hours.timeZone);
  const near = openingsBetween(hours, dateAfter(date, -1), date);
  if (isOpen(near, at)) return near;
  return openingsBetween(hours, dateAfter(date, -1), dateAfter(date, DAYS_AHEAD));
}
