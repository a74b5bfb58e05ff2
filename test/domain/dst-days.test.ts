// The days on which clocks change, in five zones: what they cost, and when a rental is due.
import { describe, expect, test } from 'vitest';
import { clockOf, instantAt, localTime } from '../../domain/calendar.ts';
import { quote } from '../../domain/pricing.ts';
import { GOLD_1, type RatePlan } from '../../domain/rate-plan.ts';

/** Clocks go forward by `minutes` on the one Sunday of 2027, and back on the other. */
const ZONES = [
  { zone: 'Europe/Vienna', forward: '2027-03-28', back: '2027-10-31', minutes: 60 },
  { zone: 'America/New_York', forward: '2027-03-14', back: '2027-11-07', minutes: 60 },
  { zone: 'Pacific/Auckland', forward: '2027-09-26', back: '2027-04-04', minutes: 60 },
  // At midnight, so that the Sunday begins at one o'clock, and Saturday's last hour comes twice.
  { zone: 'America/Santiago', forward: '2027-09-05', back: '2027-04-04', minutes: 60 },
  { zone: 'Australia/Lord_Howe', forward: '2027-10-03', back: '2027-04-04', minutes: 30 },
] as const;

type Times = { readonly zone: string; readonly sunday: string };

/** A local time so many days from the Sunday. */
function at({ zone, sunday }: Times, days: number, time: string): string {
  const date = new Date(Date.parse(sunday) + days * 86_400_000).toISOString().slice(0, 10);
  return instantAt(`${date}T${time}`, zone, 'first');
}

function priced(zone: string, pickUpAt: string, returnAt: string, plan: RatePlan = GOLD_1) {
  return quote({ plan, pickUpAt, returnAt, clock: clockOf(zone, pickUpAt, returnAt) });
}

describe.each(ZONES)('in $zone', ({ zone, forward, back, minutes }) => {
  const [spring, autumn] = [
    { zone, sunday: forward },
    { zone, sunday: back },
  ];
  const overnight = (times: Times, plan?: RatePlan) =>
    priced(zone, at(times, -1, '10:00'), at(times, 0, '10:00'), plan);

  test('ten to ten is shorter or longer than a day, by elapsed time', () => {
    const [short, long] = [overnight(spring), overnight(autumn)];
    expect([short.duration.minutes, short.duration.wholeDays]).toEqual([1_440 - minutes, 0]);
    expect([long.duration.minutes, long.duration.wholeDays]).toEqual([1_440 + minutes, 1]);
    // The minimum of a day; a day and what is over the grace of 29 minutes, an hour at 10.
    expect([short.netMinor, long.netMinor]).toEqual([50_00, 60_00]);
    expect([short.duration.extrasDays, long.duration.extrasDays]).toEqual([1, 2]);
  });

  test('ten to ten is one day, by the wall clock', () => {
    const plan: RatePlan = { ...GOLD_1, dayBasis: 'wallClock' };
    for (const times of [spring, autumn]) {
      const { duration, netMinor } = overnight(times, plan);
      expect([duration.wholeDays, duration.extrasDays, netMinor]).toEqual([1, 1, 50_00]);
    }
  });

  test('the weekend is the local one, from Friday noon to Monday noon and its grace', () => {
    for (const times of [spring, autumn]) {
      const until = (time: string) => priced(zone, at(times, -2, '12:00'), at(times, 1, time));
      expect([until('12:00').netMinor, until('12:29').netMinor]).toEqual([120_00, 120_00]);
      const early = priced(zone, at(times, -2, '11:59'), at(times, 1, '12:00'));
      expect(early.netMinor).toBeGreaterThan(120_00);
    }
    // Half an hour past noon, no weekend any more: three days at 50.
    const late = priced(zone, at(spring, -2, '12:00'), at(spring, 1, '12:30'));
    expect(late.netMinor).toBe(150_00);
  });

  test('a due time is shown as it was agreed on', () => {
    for (const times of [spring, autumn]) {
      const dueAt = at(times, 0, '10:00');
      expect(localTime(dueAt, zone)).toMatch(`${times.sunday}T10:00:00`);
    }
  });
});
