// Opening hours: exceptions win, midnight is no border, and what a handover outside of them means.
import { describe, expect, test } from 'vitest';
import { type HoursAt, openingsAround, openingsBetween } from '../../db/opening-times.ts';
import { instantAt } from '../../domain/calendar.ts';
import {
  handover,
  isOpen,
  keptTillClose,
  nextOpening,
  noShowAt,
  openingsOn,
  type WeeklyPeriod,
} from '../../domain/opening-hours.ts';

const WORKDAYS: readonly WeeklyPeriod[] = [1, 2, 3, 4, 5].flatMap((weekday) => [
  { weekday, opens: '08:00', closes: '12:00' },
  { weekday, opens: '13:00', closes: '18:00' },
]);

const FEE = { feeMinor: 2_500, currency: 'EUR' };

function hours(over: Partial<HoursAt> = {}): HoursAt {
  const closed = { keyDrop: false, outOfHours: null, exceptions: [] };
  return { timeZone: 'Europe/Vienna', weekly: WORKDAYS, ...closed, ...over };
}

describe('a local date', () => {
  test('has the periods of its weekday', () => {
    expect(openingsOn(hours(), '2027-05-03')).toEqual([
      { from: '2027-05-03T08:00', to: '2027-05-03T12:00' },
      { from: '2027-05-03T13:00', to: '2027-05-03T18:00' },
    ]);
    expect(openingsOn(hours(), '2027-05-02')).toEqual([]);
  });

  test('has those of its exception instead, or none', () => {
    const exceptions = [
      { date: '2027-05-02', periods: [{ opens: '10:00', closes: '14:00' }], reason: 'Fair' },
      { date: '2027-05-03', periods: [], reason: 'Holiday' },
    ];
    const special = hours({ exceptions });
    expect(openingsOn(special, '2027-05-02')).toEqual([
      { from: '2027-05-02T10:00', to: '2027-05-02T14:00' },
    ]);
    expect(openingsOn(special, '2027-05-03')).toEqual([]);
  });

  test('whose period closes over midnight ends on the next one', () => {
    const weekly = [{ weekday: 5, opens: '20:00', closes: '02:00' }];
    expect(openingsOn(hours({ weekly }), '2027-05-07')).toEqual([
      { from: '2027-05-07T20:00', to: '2027-05-08T02:00' },
    ]);
    const openings = openingsAround(hours({ weekly }), '2027-05-07T23:30:00.000Z');
    expect(isOpen(openings, '2027-05-07T23:30:00.000Z')).toBe(true);
    expect(isOpen(openings, '2027-05-08T00:00:00.000Z')).toBe(false);
  });

  test('without anything declared is open all day', () => {
    expect(openingsOn(hours({ weekly: null }), '2027-05-02')).toEqual([
      { from: '2027-05-02T00:00', to: '2027-05-03T00:00' },
    ]);
  });
});

describe('the next opening', () => {
  test('is now while it is open, and the closing minute is closed', () => {
    const at = '2027-05-03T09:00:00.000Z';
    expect(nextOpening(openingsAround(hours(), at), at)).toBe(at);
    const noon = '2027-05-03T10:00:00.000Z';
    expect(nextOpening(openingsAround(hours(), noon), noon)).toBe('2027-05-03T11:00:00.000Z');
  });

  test('is after the weekend, and after a holiday that follows it', () => {
    const friday = '2027-05-07T17:00:00.000Z';
    expect(nextOpening(openingsAround(hours(), friday), friday)).toBe('2027-05-10T06:00:00.000Z');
    const monday = { date: '2027-05-10', periods: [], reason: 'Holiday' };
    const holiday = hours({ exceptions: [monday] });
    expect(nextOpening(openingsAround(holiday, friday), friday)).toBe('2027-05-11T06:00:00.000Z');
  });

  test('is not known for a branch that does not open again', () => {
    const at = '2027-05-03T09:00:00.000Z';
    expect(nextOpening(openingsAround(hours({ weekly: [] }), at), at)).toBeNull();
  });
});

describe('when clocks change', () => {
  test('a branch opens by its local time, an hour earlier or later in UTC', () => {
    const sundays = hours({ weekly: [{ weekday: 7, opens: '08:00', closes: '18:00' }] });
    expect(openingsBetween(sundays, '2027-03-21', '2027-03-28').map(({ from }) => from)).toEqual([
      '2027-03-21T07:00:00.000Z',
      '2027-03-28T06:00:00.000Z',
    ]);
    expect(openingsBetween(sundays, '2027-10-24', '2027-10-31').map(({ from }) => from)).toEqual([
      '2027-10-24T06:00:00.000Z',
      '2027-10-31T07:00:00.000Z',
    ]);
  });

  test('a night is an hour shorter in March and an hour longer in October', () => {
    const nights = hours({ weekly: [{ weekday: 6, opens: '22:00', closes: '06:00' }] });
    const lengths = ['2027-03-20', '2027-03-27', '2027-10-30'].map((date) => {
      const [night] = openingsBetween(nights, date, date);
      return (Date.parse(night?.to ?? '') - Date.parse(night?.from ?? '')) / 3_600_000;
    });
    expect(lengths).toEqual([8, 7, 9]);
  });

  test('an opening in the hour that is left out is the moment at which it is left out', () => {
    expect(instantAt('2027-03-28T02:30', 'Europe/Vienna', 'first')).toBe(
      '2027-03-28T01:00:00.000Z',
    );
    expect(instantAt('2027-03-28T02:30', 'Europe/Vienna', 'last')).toBe('2027-03-28T01:00:00.000Z');
  });

  test('in the hour that comes twice it opens the first time and closes the second', () => {
    const early = hours({ weekly: [{ weekday: 7, opens: '02:15', closes: '02:45' }] });
    expect(openingsBetween(early, '2027-10-31', '2027-10-31')).toEqual([
      { from: '2027-10-31T00:15:00.000Z', to: '2027-10-31T01:45:00.000Z' },
    ]);
  });
});

describe('a handover', () => {
  const CLOSED_AT = '2027-05-03T20:00:00.000Z';
  const at = (side: 'pick-up' | 'return', over: Partial<HoursAt>, instant = CLOSED_AT) =>
    handover(side, hours(over), openingsAround(hours(over), instant), instant);
  const refused = (nextOpeningAt: string) =>
    expect.objectContaining({
      code: 'branch-closed',
      details: expect.objectContaining({ nextOpening: nextOpeningAt }),
    });

  test('in hours costs nothing, whatever is offered outside of them', () => {
    expect(at('pick-up', { outOfHours: FEE }, '2027-05-03T09:00:00.000Z')).toBe('in-hours');
    expect(at('return', { keyDrop: true }, '2027-05-03T09:00:00.000Z')).toBe('in-hours');
  });

  test('out of hours goes out for a fee where that is offered, else not at all', () => {
    expect(at('pick-up', { outOfHours: FEE })).toEqual(FEE);
    expect(() => at('pick-up', { keyDrop: true })).toThrow(refused('2027-05-04T06:00:00.000Z'));
  });

  test('out of hours comes back by the key drop for the fee, else not at all', () => {
    expect(at('return', { keyDrop: true, outOfHours: FEE })).toEqual(FEE);
    expect(at('return', { keyDrop: true })).toBe('in-hours');
    expect(() => at('return', { outOfHours: FEE })).toThrow(refused('2027-05-04T06:00:00.000Z'));
  });
});

describe('a no-show', () => {
  test('is declared after the grace while the branch is open, or has declared nothing', () => {
    const pickUpAt = '2027-05-03T08:00:00.000Z';
    expect(noShowAt(null, pickUpAt, 120)).toBe('2027-05-03T10:00:00.000Z');
    const late = '2027-05-03T09:30:00.000Z';
    expect(noShowAt(openingsAround(hours(), late), pickUpAt, 90)).toBe(late);
  });

  test('of a branch that is closed by then waits until an hour after it opens', () => {
    const pickUpAt = '2027-05-07T15:00:00.000Z';
    const late = '2027-05-07T17:00:00.000Z';
    expect(noShowAt(openingsAround(hours(), late), pickUpAt, 120)).toBe('2027-05-10T07:00:00.000Z');
  });

  test.each([
    ['from 10:00 on, until the branch closes at 18:00', {}, '05-03T08:00', '05-03T16:00'],
    [
      'at a branch that closes over midnight, until then',
      { weekly: [{ weekday: 1, opens: '18:00', closes: '02:00' }] },
      '05-03T20:00',
      '05-04T00:00',
    ],
    ['at one without hours, until midnight there', { weekly: null }, '05-03T08:00', '05-03T22:00'],
    ['on a day of 23 hours', { weekly: null }, '03-28T08:00', '03-28T22:00'],
    ['on a day of 25 hours', { weekly: null }, '10-31T08:00', '10-31T23:00'],
    ['where the grace ends later, until then', {}, '05-03T15:00', '05-03T17:00'],
    ['where nothing opens that day, until the grace ends', {}, '05-02T08:00', '05-02T10:00'],
  ])('of what is prepaid waits: %s', (_, over, pickUp, until) => {
    const [pickUpAt, kept] = [pickUp, until].map((at) => `2027-${at}:00.000Z`) as [string, string];
    const date = pickUpAt.slice(0, 10);
    const openings = openingsBetween(hours(over), date, date);
    expect(keptTillClose(openings, noShowAt(null, pickUpAt, 120))).toBe(kept);
  });
});
