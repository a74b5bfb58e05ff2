// Instants from people and local times for people: the one place that knows time zones.
import { Temporal } from 'temporal-polyfill';
import { DomainError } from './errors.ts';
import type { Clock } from './pricing/clock.ts';

const MINUTE_FORM = /^\d{4}-\d{2}-\d{2}T\d{2}:[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;
const LOCAL_FORM = /^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/;
/** Names of the zone database begin with a letter; offsets do not, and know no clock change. */
const ZONE_NAME = /^[A-Za-z][\w+/-]*$/;

/**
 * Reads an instant of ISO 8601 with a date, a time and an offset, and answers it in UTC to the
 * millisecond: `2027-05-03T10:00+02:00` → `2027-05-03T08:00:00.000Z`. Throws `invalid-time` for a
 * day that does not exist, a missing offset, a leap second, and whatever else is no such instant.
 */
export function parseInstant(text: string): string {
  if (!MINUTE_FORM.test(text)) throw noInstant(text);
  return new Date(instantOf(text).epochMilliseconds).toISOString();
}

/**
 * The instant as a clock in `zone` (an IANA name) shows it: `2027-05-03T10:00:00+02:00`. Throws
 * `invalid-time` for an unknown zone.
 */
export function localTime(instant: string, zone: string): string {
  const { clock, fraction, offset } = shown(instant, zone) ?? {};
  if (clock !== undefined) return `${clock}${fraction}${offset}`;
  return inZone(instant, zone).toString({ timeZoneName: 'never' });
}

/** The date in `zone` at that instant: `2027-05-03`. Throws `invalid-time` for an unknown zone. */
export function localDate(instant: string, zone: string): string {
  const quick = shown(instant, zone);
  return quick?.clock.slice(0, 10) ?? inZone(instant, zone).toPlainDate().toString();
}

/**
 * The instant at which clocks in `zone` show that local time (`2027-05-03T08:00`). A time that clocks
 * skip is the moment at which they skip it; of one that they show twice it is the first, or the last.
 * Throws `invalid-time` for an unknown zone.
 */
export function instantAt(local: string, zone: string, which: 'first' | 'last'): string {
  if (!ZONE_NAME.test(zone)) throw noZone(zone);
  const wanted = Temporal.PlainDateTime.from(local);
  const disambiguation = which === 'first' ? 'earlier' : 'later';
  const found = wanted.toZonedDateTime(zone, { disambiguation });
  if (found.toPlainDateTime().equals(wanted)) return toUtc(found);
  const before = wanted.toZonedDateTime(zone, { disambiguation: 'earlier' });
  return toUtc(before.getTimeZoneTransition('next') ?? found);
}

/**
 * The instants at which clocks in `zone` show that local time (`2027-05-03T10:00`, seconds allowed):
 * one, or two in the hour that autumn repeats. Throws `invalid-time` for a time that spring skips,
 * for what is no date, and for an unknown zone.
 */
export function instantsShown(local: string, zone: string): readonly string[] {
  const real = LOCAL_FORM.test(local) && isRealDate(local.slice(0, 10));
  const shown = real ? [instantAt(local, zone, 'first'), instantAt(local, zone, 'last')] : [];
  const instants = [...new Set(shown)].filter((at) => localTime(at, zone).startsWith(local));
  if (instants.length > 0) return instants;
  throw new DomainError('invalid-time', 'No clock ever showed this time there.', {
    given: local.slice(0, 40),
  });
}

function isRealDate(date: string): boolean {
  const parsed = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date);
}

/**
 * The offsets from UTC that clocks in `zone` have from one instant to another, for prices. Throws
 * `invalid-time` for an unknown zone.
 */
export function clockOf(zone: string, from: string, until: string): Clock {
  const offsets: { from: string; offsetMinutes: number }[] = [];
  const end = instantOf(until).epochMilliseconds;
  let moment: Temporal.ZonedDateTime | null = inZone(from, zone);
  while (moment !== null && moment.epochMilliseconds <= end) {
    const offsetMinutes = moment.offsetNanoseconds / MINUTE_NS;
    offsets.push({ from: toUtc(moment), offsetMinutes });
    moment = moment.getTimeZoneTransition('next');
  }
  return offsets;
}

const MINUTE_NS = 60_000_000_000;

type Shown = { readonly clock: string; readonly fraction: string; readonly offset: string };

/**
 * As `inZone`, several times cheaper, for lists that show hundreds of times. Null for whatever is not
 * plain: another form than that of our rows, no such zone, an offset with seconds, a far year.
 */
function shown(instant: string, zone: string): Shown | null {
  const ms = instant.length === PLAIN_LENGTH ? Date.parse(instant) : Number.NaN;
  // Days that do not exist are read as others.
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== instant) return null;
  const told = formatFor(zone)?.format(ms);
  if (told === undefined) return null;
  const offset = told.slice(told.lastIndexOf('GMT') + 'GMT'.length) || '+00:00';
  if (offset.length !== '+00:00'.length) return null;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4));
  const ahead = (offset.startsWith('-') ? -minutes : minutes) * MINUTE_MS;
  const text = new Date(ms + ahead).toISOString();
  if (text.length !== PLAIN_LENGTH) return null;
  const fraction = text.endsWith('.000Z') ? '' : text.slice(19, -1).replace(/0+$/, '');
  return { clock: text.slice(0, 19), fraction, offset };
}

const PLAIN_LENGTH = '2027-05-03T08:00:00.000Z'.length;
const MINUTE_MS = 60_000;
/** Dear to make, cheap to use. There are some 400 zones, and whoever writes one may choose its case. */
const formats = new Map<string, Intl.DateTimeFormat>();
const MOST_FORMATS = 1_000;

function formatFor(timeZone: string): Intl.DateTimeFormat | null {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  if (!ZONE_NAME.test(timeZone)) return null;
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
    if (formats.size === MOST_FORMATS) formats.clear();
    formats.set(timeZone, format);
    return format;
  } catch {
    return null;
  }
}

function toUtc(moment: Temporal.ZonedDateTime): string {
  return new Date(moment.epochMilliseconds).toISOString();
}

function inZone(instant: string, zone: string): Temporal.ZonedDateTime {
  const moment = instantOf(instant);
  if (!ZONE_NAME.test(zone)) throw noZone(zone);
  try {
    return moment.toZonedDateTimeISO(zone);
  } catch {
    throw noZone(zone);
  }
}

function noZone(zone: string): DomainError {
  return new DomainError('invalid-time', 'There is no such time zone.', { zone });
}

function instantOf(text: string): Temporal.Instant {
  try {
    return Temporal.Instant.from(text);
  } catch {
    throw noInstant(text);
  }
}

function noInstant(given: string): DomainError {
  return new DomainError('invalid-time', 'This is no instant of ISO 8601 with an offset.', {
    given: given.slice(0, 40),
  });
}
