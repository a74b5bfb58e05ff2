// Instants are read strictly, local times follow their zone, and spans end before what follows.
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import { localDate, localTime, parseInstant } from '../../domain/calendar.ts';
import { overlaps, withTurnaround } from '../../domain/span.ts';

const refused = expect.objectContaining({ code: 'invalid-time' });

describe('an instant', () => {
  test.each([
    ['2027-05-03T10:00+02:00', '2027-05-03T08:00:00.000Z'],
    ['2027-05-03T08:00:00Z', '2027-05-03T08:00:00.000Z'],
    ['2027-05-03T08:00:00.123456789Z', '2027-05-03T08:00:00.123Z'],
    ['2028-02-29T23:59:59-05:30', '2028-03-01T05:29:59.000Z'],
  ])('%s is read as %s', (given, utc) => {
    expect(parseInstant(given)).toBe(utc);
  });

  test.each([
    ['a day that does not exist', '2026-02-30T10:00Z'],
    ['a leap day of a common year', '2027-02-29T10:00Z'],
    ['no offset', '2027-05-03T10:00'],
    ['a date only', '2027-05-03'],
    ['an hour that does not exist', '2027-05-03T24:00Z'],
    ['a leap second', '2027-05-03T10:00:60Z'],
    ['an offset of more than a day', '2027-05-03T10:00+25:00'],
    ['a named zone beside it', '2027-05-03T10:00+02:00[Europe/Vienna]'],
    ['a space for the T', '2027-05-03 10:00Z'],
    ['a far year', '+012027-05-03T10:00Z'],
    ['words', 'tomorrow'],
    ['nothing', ''],
  ])('is refused with %s', (_why, given) => {
    expect(() => parseInstant(given)).toThrow(refused);
  });

  test('survives being read again', () => {
    const date = fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(date, (moment) => {
        expect(parseInstant(moment.toISOString())).toBe(moment.toISOString());
      }),
    );
  });
});

describe('a local time', () => {
  test('changes its offset with the clock of the zone', () => {
    expect(localTime('2027-03-28T00:59:00Z', 'Europe/Vienna')).toBe('2027-03-28T01:59:00+01:00');
    expect(localTime('2027-03-28T01:00:00Z', 'Europe/Vienna')).toBe('2027-03-28T03:00:00+02:00');
    expect(localTime('2027-10-31T00:30:00Z', 'Europe/Vienna')).toBe('2027-10-31T02:30:00+02:00');
    expect(localTime('2027-10-31T01:30:00Z', 'Europe/Vienna')).toBe('2027-10-31T02:30:00+01:00');
  });

  test('names the same instant, read back', () => {
    const zone = fc.constantFrom('Europe/Vienna', 'America/New_York', 'Asia/Kolkata', 'UTC');
    const date = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(date, zone, (moment, name) => {
        expect(parseInstant(localTime(moment.toISOString(), name))).toBe(moment.toISOString());
      }),
    );
  });

  test('is the one that the calendar of every zone tells, to the digit, around clock changes', () => {
    const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'), 'UTC', 'europe/vienna');
    const date = fc.date({
      min: new Date('0001-01-01'),
      max: new Date('9999-12-30'),
      noInvalidDate: true,
    });
    const near = fc.integer({ min: -2_000, max: 2_000 });
    const form = fc.constantFrom(
      (text: string) => text,
      (text: string) => text.replace(/\.\d+Z$/, 'Z'),
      (text: string) => text.replace(/Z$/, '456789Z'),
      (text: string) => text.replace(/\.\d+Z$/, '+05:30'),
    );
    fc.assert(
      fc.property(zones, date, near, form, (zone, moment, ms, as) => {
        const start = Temporal.Instant.from(moment.toISOString()).toZonedDateTimeISO(zone);
        const change = start.getTimeZoneTransition('next') ?? start;
        for (const at of [moment, new Date(change.epochMilliseconds + ms)]) {
          const instant = as(at.toISOString());
          const told = Temporal.Instant.from(instant).toZonedDateTimeISO(zone);
          expect(localTime(instant, zone)).toBe(told.toString({ timeZoneName: 'never' }));
          expect(localDate(instant, zone)).toBe(told.toPlainDate().toString());
        }
      }),
      { numRuns: 100 },
    );
  });

  test.each(['2027-02-29T10:00:00Z', '2027-05-03T24:00:00Z', '2027-05-03', 'tomorrow'])(
    'is refused of "%s"',
    (instant) => expect(() => localTime(instant, 'Europe/Vienna')).toThrow(refused),
  );

  test('has the date of its zone', () => {
    expect(localDate('2027-05-03T22:30:00Z', 'Europe/Vienna')).toBe('2027-05-04');
    expect(localDate('2027-05-03T22:30:00Z', 'America/New_York')).toBe('2027-05-03');
  });

  test.each(['Europe/Nowhere', '+02:00', '', 'Z'])('is refused in the zone "%s"', (zone) => {
    expect(() => localTime('2027-05-03T10:00:00Z', zone)).toThrow(refused);
    expect(() => localDate('2027-05-03T10:00:00Z', zone)).toThrow(refused);
  });
});

describe('a span', () => {
  const nine = '2027-05-03T09:00:00.000Z';
  const ten = '2027-05-03T10:00:00.000Z';
  const half = '2027-05-03T09:30:00.000Z';

  test('does not overlap the one that begins as it ends', () => {
    expect(overlaps({ from: nine, to: ten }, { from: half, to: ten })).toBe(true);
    expect(overlaps({ from: nine, to: half }, { from: half, to: ten })).toBe(false);
  });

  test('takes nothing when it ends as it begins', () => {
    expect(overlaps({ from: half, to: half }, { from: nine, to: ten })).toBe(false);
  });

  test('compares instants, not texts', () => {
    const viennese = { from: '2027-05-03T11:15+02:00', to: '2027-05-03T11:45+02:00' };
    expect(overlaps({ from: nine, to: half }, viennese)).toBe(true);
    expect(overlaps(viennese, { from: nine, to: half })).toBe(true);
  });

  test('keeps the vehicle for its turnaround', () => {
    expect(withTurnaround({ from: nine, to: half }, 30)).toEqual({ from: nine, to: ten });
  });

  test('overlaps exactly when some minute is in both, either way round', () => {
    const spans = fc
      .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 10 }))
      .map(([start, length]) => ({ start, end: start + length }));
    fc.assert(
      fc.property(spans, spans, (a, b) => {
        const shared = range(a).some((minute) => range(b).includes(minute));
        expect(overlaps(asSpan(a), asSpan(b))).toBe(shared);
        expect(overlaps(asSpan(b), asSpan(a))).toBe(shared);
      }),
      { numRuns: 2_000 },
    );
  });
});

type Minutes = { readonly start: number; readonly end: number };

function range({ start, end }: Minutes): readonly number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

function asSpan({ start, end }: Minutes) {
  const at = (minute: number) => new Date(minute * 60_000).toISOString();
  return { from: at(start), to: at(end) };
}
