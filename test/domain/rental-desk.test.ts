// The rules of a desk's day: keys back at once, announced returns, the ladder of a late vehicle.
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import {
  DESK_TERMS,
  type DeskTerms,
  keptUntil,
  notReturnedStep,
} from '../../domain/rental/desk.ts';
import { checkDrop } from '../../domain/rental/drop.ts';
import { decide, type RentalState } from '../../domain/rental.ts';
import { rentalActions } from '../../domain/rental-actions.ts';
import { needsAttention } from '../../domain/rental-attention.ts';
import { reservedState } from '../support/rental-fakes.ts';

const pickUpAt = '2027-03-01T10:00:00.000Z';
const dueAt = '2027-03-03T10:00:00.000Z';

function rental(change: Partial<RentalState>): RentalState {
  const ids = { id: 'r', branchId: 'VIE', classId: 'CDMR', customerId: 'c' };
  return { ...reservedState({ ...ids, pickUpAt, dueAt }), ...change };
}

function refusal(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    return error instanceof DomainError ? error.code : String(error);
  }
}

describe('a desk', () => {
  const at = (hours: number) => new Date(Date.parse(pickUpAt) + hours * 3_600_000).toISOString();

  test('undoes a check-out for 15 minutes, to the instant, and 5 km', () => {
    const out = rental({ status: 'active', checkedOutAt: pickUpAt, odometerOutKm: 100 });
    const undo = (now: string, odometerKm = 105) =>
      refusal(() =>
        decide(out, { type: 'undoCheckOut', odometerKm, fuelEighths: 8, reason: 'typing' }, now),
      );
    expect([undo(at(0.25)), undo(at(0.2501))]).toEqual(['none', 'invalid-state']);
    expect([undo(pickUpAt, 106), undo(pickUpAt, 99)]).toEqual([
      'invalid-state',
      'odometer-rollback',
    ]);
  });

  test('climbs the ladder of a late vehicle at 2, 24 and 72 hours', () => {
    const steps = [1.99, 2, 23.99, 24, 71.99, 72, 999].map((hours) =>
      notReturnedStep(pickUpAt, at(hours)),
    );
    expect(steps).toEqual([null, 'mail', 'mail', 'call', 'call', 'manager', 'manager']);
  });

  test('keeps a late vehicle two hours ahead, or until the return that was announced', () => {
    expect(keptUntil(at(1), null)).toBe(at(3));
    expect(keptUntil(at(1), at(2))).toBe(at(3));
    expect(keptUntil(at(1), at(9))).toBe(at(9));
  });

  test('believes a drop after the check-out, before now, while closed, where there is a key drop', () => {
    const openings = [{ from: at(10), to: at(20) }];
    const out = { checkedOutAt: pickUpAt };
    const drop = (claimed: string, keyDrop = true, now = at(11), granted = false) =>
      refusal(() => checkDrop(claimed, out, { openings, keyDrop }, now, granted));
    expect([drop(at(5)), drop(at(5), false)]).toEqual(['none', 'branch-closed']);
    expect([at(-1), at(10.5), at(12)].map((claimed) => drop(claimed))).toEqual([
      'invalid-time',
      'invalid-time',
      'invalid-time',
    ]);
    const whole = [at(19.9), at(20)].map((now) => drop(at(5), true, now));
    expect(whole, 'a whole opening has passed since').toEqual(['none', 'invalid-time']);
    const granted = [drop(at(5), true, at(20), true), drop(at(5), false, at(20), true)];
    expect(granted, 'a manager’s word makes no key drop').toEqual(['none', 'branch-closed']);
    const branch = { openings, keyDrop: true };
    const needed = [at(11), at(20)].map((now) => checkDrop(at(5), out, branch, now, true));
    expect([...needed, drop(at(10.5), true, at(21), true)], 'and no closed branch').toEqual([
      ...[false, true],
      'invalid-time',
    ]);
  });

  const terms = (change: Partial<DeskTerms> = {}) => ({ deskTerms: { ...DESK_TERMS, ...change } });
  const judged = (state: RentalState, name: string, now: string) =>
    rentalActions(state, now).find(({ command }) => command === name)?.refusal ?? null;

  test('hands keys out from an hour before the pick-up on, or as its branch says', () => {
    const [booked, keys] = [rental(terms()), { odometerKm: 1, fuelEighths: 8 }];
    const out = (state: RentalState, hours: number) =>
      refusal(() => decide(state, { type: 'checkOut', ...keys }, at(hours)));
    expect([out(booked, -1), out(booked, -1.001)]).toEqual(['none', 'invalid-state']);
    expect(judged(booked, 'checkOut', at(-240))).toMatchObject({
      message: expect.stringContaining('amend the pick-up first'),
      details: { possibleFrom: at(-1) },
    });
    const patient = rental(terms({ earlyCheckOutMinutes: 0 }));
    expect([out(patient, 0), out(patient, -0.001)]).toEqual(['none', 'invalid-state']);
    expect(out(rental({}), -240), 'of a run that began without terms').toBe('none');
  });

  test('hears of a late return from a day before it is due on, for ten days', () => {
    const out = rental({ status: 'active', checkedOutAt: pickUpAt, ...terms() });
    const say = (hours: number, until: number) =>
      refusal(() => decide(out, { type: 'announceReturn', at: at(until) }, at(hours)));
    expect([say(24, 49), say(23.999, 49)]).toEqual(['none', 'invalid-state']);
    expect([say(50, 48 + 240), say(50, 48 + 240.001)]).toEqual(['none', 'invalid-time']);
    expect(say(48 + 240, 48 + 241)).toBe('invalid-state');
    expect(judged(out, 'announceReturn', at(1))).toMatchObject({
      details: { possibleFrom: at(24) },
    });
  });

  test('offers no undo of a vehicle that took the place of another one', () => {
    const out = rental({ status: 'active', checkedOutAt: pickUpAt, ...terms() });
    expect(judged(out, 'undoCheckOut', pickUpAt)).toBeNull();
    expect(judged({ ...out, isExchanged: true }, 'undoCheckOut', pickUpAt)).toMatchObject({
      message: expect.stringContaining('exchanged'),
    });
  });

  test('goes by the terms that its branch had at the booking', () => {
    const state = { status: 'active', checkedOutAt: pickUpAt, odometerOutKm: 100 } as const;
    const out = rental({ ...state, ...terms({ undoMinutes: 60, undoKm: 0 }) });
    const undo = (now: string, odometerKm: number) =>
      refusal(() =>
        decide(out, { type: 'undoCheckOut', odometerKm, fuelEighths: 8, reason: 'typing' }, now),
      );
    expect([undo(at(1), 100), undo(at(1.001), 100)]).toEqual(['none', 'invalid-state']);
    expect(undo(at(1), 101)).toBe('invalid-state');
    const { deskTerms } = terms({ notReturnedMailHours: 1, notReturnedCallHours: 3 });
    const steps = [0.9, 1, 3].map((hours) => notReturnedStep(pickUpAt, at(hours), deskTerms));
    expect(steps).toEqual([null, 'mail', 'call']);
  });

  test('extends no manager’s case, and reinstates nobody whose time is over', () => {
    const lost = rental({ status: 'active', overdue: true, notReturned: 'manager' });
    const longer = { type: 'extend', dueAt: at(999) } as const;
    expect(refusal(() => decide(lost, longer, pickUpAt))).toBe('invalid-state');
    const gone = rental({ status: 'no_show' });
    expect(refusal(() => decide(gone, { type: 'reinstate' }, gone.dueAt))).toBe('invalid-state');
  });

  test('a person is needed without a vehicle before check-out, and while overdue', () => {
    expect(needsAttention(rental({}), pickUpAt)).toBe(false);
    const short = rental({ vehicleId: null });
    expect(needsAttention(short, '2027-02-28T10:00:00.000Z')).toBe(true);
    expect(needsAttention(short, '2027-02-28T09:59:59.999Z')).toBe(false);
    const cancelled = rental({ status: 'cancelled', vehicleId: null });
    expect(needsAttention(cancelled, pickUpAt)).toBe(false);
    expect(needsAttention(rental({ status: 'active', overdue: true }), pickUpAt)).toBe(true);
  });
});
