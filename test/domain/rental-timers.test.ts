// What a rental's timers wait for, and whose news counts: the pure rules of its workflow.
import { describe, expect, test } from 'vitest';
import type { RentalOutcome, RentalState } from '../../domain/rental.ts';
import { NO_TIMERS, nextDeadline, timersAfter } from '../../workflows/lib/rental-deadlines.ts';
import { openNews } from '../../workflows/lib/rental-news.ts';
import { paused } from '../../workflows/lib/rental-pauses.ts';
import { reservedState, VEHICLE } from '../support/rental-fakes.ts';

const at = (hours: number) => new Date(Date.UTC(2027, 2, 1) + hours * 3_600_000).toISOString();
const ms = (hours: number) => Date.parse(at(hours));
const ids = { id: 'r', branchId: 'VIE', classId: 'CDMR', customerId: 'c' };
const RESERVED = reservedState({ ...ids, pickUpAt: at(0), dueAt: at(40 * 24) });
const OUT: RentalState = { ...RESERVED, status: 'active', cycleEndsAt: at(30 * 24) };
const LATE: RentalState = { ...OUT, dueAt: at(30 * 24 + 1), pickUpAt: at(-48) };
const said = { at: at(0), version: 2, reassigned: [] } as const;
const OTHER = '01990000-0000-7000-8000-00000000000b';

describe('a refused timer', () => {
  const cycle = `r/cycle/${at(30 * 24)}`;
  const [now, end] = [ms(30 * 24), at(30 * 24)];

  test('waits an hour by itself: the others come when they are due', () => {
    const timers = { ...NO_TIMERS, remindedFor: LATE.dueAt };
    const before = { ...timers, arrearsAt: at(30 * 24 + 0.5) };
    const after = paused(before, cycle, now);
    expect(nextDeadline({ ...LATE, dueAt: at(99 * 24) }, before, false)?.commandId).toBe(cycle);
    const next = nextDeadline({ ...LATE, dueAt: at(99 * 24) }, after, false);
    expect(next).toMatchObject({ command: { type: 'checkArrears' }, at: ms(30 * 24 + 0.5) });
  });

  test('still waits after another timer’s outcome, and no more after a person’s', () => {
    const timers = paused(NO_TIMERS, cycle, now);
    const turned = { ...said, type: 'overdueMarked' } as const;
    const extended = { ...said, type: 'extended', vehicleId: null, price: OUT.price, dueAt: end };
    const then = (outcome: RentalOutcome, hours = 0) =>
      timersAfter(timers, outcome, OUT, now + hours * 3_600_000).paused;
    expect(then(turned)).toEqual({ [cycle]: at(30 * 24 + 1) });
    expect(then(turned, 1)).toBeUndefined();
    expect(then(extended as RentalOutcome)).toBeUndefined();
  });

  test('of an older run holds all of them up, as that run began', () => {
    const timers = { ...NO_TIMERS, pausedUntil: at(31 * 24) };
    expect(nextDeadline(OUT, timers, false)?.at).toBe(ms(31 * 24));
    expect(paused(NO_TIMERS, null, now)).toEqual({ ...NO_TIMERS, pausedUntil: at(30 * 24 + 1) });
  });
});

test('a rental that was reinstated orders what it ordered before once more, by other ids', () => {
  const short = { ...RESERVED, vehicleId: null, shortageMinutes: 120 };
  const idOf = (timers: typeof NO_TIMERS) =>
    nextDeadline(short, { ...timers, attended: true }, true)?.commandId;
  const again = { ...said, version: 5, type: 'reinstated', vehicleId: VEHICLE } as const;
  const timers = timersAfter(NO_TIMERS, { ...again, noShowAt: at(2) }, RESERVED, ms(0));
  expect([idOf(NO_TIMERS), idOf(timers)]).toEqual(['r/shortage/0', 'r/shortage/0/reinstated-5']);
});

test('arrears are never looked at twice at one instant, however late the database’s clock is', () => {
  const looked = { ...said, type: 'arrearsChecked', arrears: false } as const;
  const next = (nextCheckAt: string) =>
    timersAfter(NO_TIMERS, { ...looked, nextCheckAt }, OUT, ms(2)).arrearsAt;
  expect([next(at(2)), next(at(3))]).toEqual([at(2 + 1 / 60), at(3)]);
});

describe('news of the vehicle, heard while the rental becomes reserved again', () => {
  const kept = { ...said, vehicleId: VEHICLE, noShowAt: at(2) };
  const NO_SHOW: RentalState = { ...RESERVED, status: 'no_show', vehicleId: null };

  test.each([
    ['by an undone check-out', OUT, { ...kept, type: 'checkOutUndone' }],
    ['after a no-show', NO_SHOW, { ...kept, type: 'reinstated' }],
  ] as const)('%s counts, unless the outcome knows it', (_, before, outcome) => {
    const vehicleAfter = (own: number | null) => {
      const news = openNews({ heard: 3 });
      news.hear({ vehicleId: OTHER, sequence: 5 }, before);
      const reassigned = own === null ? [] : [{ rentalId: 'r', vehicleId: VEHICLE, version: own }];
      return news.after(before, { ...outcome, reassigned }, 3).vehicleId;
    };
    expect([vehicleAfter(null), vehicleAfter(4), vehicleAfter(6)]).toEqual([OTHER, OTHER, VEHICLE]);
    const late = openNews({ heard: 3 });
    late.hear({ vehicleId: OTHER, sequence: 4 }, before);
    expect(late.after(before, outcome, 4).vehicleId).toBe(VEHICLE);
  });
});
