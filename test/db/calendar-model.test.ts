// The calendar against a model in memory: random days at a branch of three vehicles, step by step.
import fc from 'fast-check';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import {
  extendSpan,
  handOutSpan,
  releaseSpan,
  returnSpan,
  rollSpan,
} from '../../db/commands/calendar.ts';
import { availability } from '../../db/queries/vehicles.ts';
import {
  choose,
  type Day,
  emptyDay,
  expectedGrip,
  freeVehicles,
  idle,
  inTheWay,
  placed,
  type Rental,
  spanIn,
  TURNAROUND_H,
} from '../support/calendar-model.ts';
import {
  anyStep,
  CORNERS,
  type Corner,
  type Kind,
  REHEARSED,
  type Step,
} from '../support/calendar-walks.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  attempt,
  book,
  CLASS,
  calendar,
  hour,
  plantFleet,
  READING,
  spansOf,
} from '../support/fleet.ts';

/** What the whole suite has time for; `CALENDAR_WALKS=200` walks as far as a release should. */
const RUNS = Number(process.env['CALENDAR_WALKS'] ?? 50);
const STEPS = 30;
/** How far an overdue vehicle is kept ahead of the clock. */
const AHEAD_H = 2;

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
  // Thousands of small commits: what they promise is not about the disk.
  await sql`do $$ begin
    execute format('alter database %I set synchronous_commit = off', current_database());
  end $$`.execute(t.owner);
});

const seen = new Set<Corner>();

test('refuses only what the model cannot place, and never places what the model refuses', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: STEPS, maxLength: STEPS }), async (steps) => {
      const { branchId, vehicleIds: vehicles } = await plantFleet(t.db, { vehicles: 3 });
      const day = emptyDay(branchId, vehicles);
      for (const each of steps) {
        day.served = false;
        await STEPS_BY_KIND[each.kind](day, each);
        await compare(day, each);
      }
    }),
    { numRuns: RUNS + REHEARSED.length, examples: REHEARSED.map((walk) => [walk]) },
  );
  // A walk that never meets the rare cases would prove nothing about them.
  expect([...seen].sort()).toEqual([...CORNERS].sort());
});

const STEPS_BY_KIND: Readonly<Record<Kind, (day: Day, step: Step) => Promise<void>>> = {
  reserve: async (day, { ahead, length }) => {
    const id = uuidv7();
    const from = day.clock + ahead / 2;
    const due = from + length / 2;
    const range = { from, until: due + TURNAROUND_H };
    const free = freeVehicles(day.spans, day.vehicles, range);
    const answer = await attempt(
      book(t.db, { branchId: day.branchId, from: hour(from), to: hour(due), rentalId: id }),
    );
    if (free.length === 0) {
      seen.add('reservation refused');
      return expect(answer).toBe('vehicle-unavailable');
    }
    if (typeof answer === 'string') throw new Error(`${answer}, but ${free.length} are free`);
    const least = Math.min(...free.map((vehicle) => idle(day.spans, vehicle, range)));
    expect(free).toContain(answer.vehicleId);
    expect(idle(day.spans, answer.vehicleId, range)).toBeCloseTo(least);
    day.rentals.set(id, { id, state: 'reserved', from, due, until: range.until });
  },

  extend: async (day, { pick, length }) => {
    const rental = choose(day, pick, (r) => r.state === 'reserved' || r.state === 'out');
    if (rental === undefined) return;
    const due = Math.max(rental.due, day.clock) + length / 2;
    const next = { ...rental, due, until: due + TURNAROUND_H };
    const own = spanIn(day, rental).vehicle;
    const others = own === null ? [] : inTheWay(day.spans, own, next, rental.id);
    const elsewhere = freeVehicles(day.spans, day.vehicles, next, rental.id);
    const answer = await attempt(calendar(t.db, (tx) => extendSpan(tx, rental.id, hour(due))));
    // A demand that waits is not promised a longer wait; what is free may go to an earlier one.
    const waitOn = day.spans.some((s) => s.vehicle === null && s.id !== rental.id);
    if (own === null && answer === 'vehicle-unavailable' && (waitOn || elsewhere.length === 0)) {
      return;
    }
    if (answer === 'vehicle-unavailable') {
      expect(others.length).toBeGreaterThan(0);
      if (rental.state === 'reserved') expect(elsewhere).toEqual([]);
      seen.add('extension refused');
      return;
    }
    if (typeof answer === 'string') throw new Error(answer);
    day.rentals.set(rental.id, next);
    if (others.length > 0 && rental.state === 'reserved') {
      expect(elsewhere).toContain(answer.vehicleId);
      expect(answer.vehicleId).not.toBe(own);
      seen.add('extension moved itself');
    } else if (own !== null) {
      expect(answer.vehicleId).toBe(own);
      expect(others.every((other) => other.grip === 'tentative')).toBe(true);
      if (others.length > 0) seen.add('extension moved another');
    }
    day.served = true;
  },

  handOut: async (day, { pick }) => {
    const due = (r: Rental) => r.state === 'reserved' && r.from <= day.clock + 2;
    const rental = choose(day, pick, due);
    if (rental === undefined) return;
    const next: Rental = { ...rental, state: 'out', from: day.clock };
    const isOut = (vehicle: string) =>
      day.spans.some((s) => s.vehicle === vehicle && s.grip === 'out');
    const there = freeVehicles(day.spans, day.vehicles, next, rental.id).filter((v) => !isOut(v));
    const own = spanIn(day, rental).vehicle;
    // A vehicle that came back may go before its turnaround is over, when the counter says so.
    const others = own === null ? [] : inTheWay(day.spans, own, next, rental.id);
    const ready = others.every((s) => s.grip === 'firm' && s.from < day.clock);
    const isKept = own !== null && !isOut(own) && ready;
    const keys = { ...READING, vehicleId: undefined };
    const handOut = (named?: string) =>
      attempt(
        calendar(t.db, (tx) =>
          handOutSpan(tx, rental.id, hour(day.clock), { ...keys, vehicleId: named }),
        ),
      );
    const first = await handOut();
    const replacement = own !== null && !isKept ? there[0] : undefined;
    if (own !== null && !isKept) expect(first).toBe('no-vehicle');
    if (replacement === undefined && (own === null ? there.length === 0 : !isKept)) {
      seen.add('hand-out refused');
      return expect(first).toBe('no-vehicle');
    }
    const answer = replacement === undefined ? first : await handOut(replacement);
    if (typeof answer === 'string') throw new Error(`${answer}, but ${there.length} are there`);
    if (replacement !== undefined) seen.add('hand-out of another vehicle');
    if (isKept || replacement !== undefined) expect(answer.vehicleId).toBe(replacement ?? own);
    else expect(there).toContain(answer.vehicleId);
    for (const cut of isKept ? others : []) {
      const returned = day.rentals.get(cut.id);
      if (returned !== undefined) day.rentals.set(cut.id, { ...returned, until: day.clock });
    }
    day.rentals.set(rental.id, next);
    day.served = true;
  },

  giveBack: async (day, { pick }) => {
    const rental = choose(day, pick, (r) => r.state === 'out');
    if (rental === undefined) return;
    const { vehicle } = spanIn(day, rental);
    const behind = day.spans.filter((s) => s.vehicle === vehicle && s.from > rental.from);
    const until = Math.min(day.clock + TURNAROUND_H, ...behind.map((s) => s.from));
    await calendar(t.db, (tx) => returnSpan(tx, rental.id, hour(day.clock), READING));
    day.rentals.set(rental.id, { ...rental, state: 'returned', until });
    day.served = true;
  },

  release: async (day, { pick }) => {
    const rental = choose(day, pick, (r) => r.state === 'reserved');
    if (rental === undefined) return;
    await calendar(t.db, (tx) => releaseSpan(tx, rental.id));
    day.rentals.set(rental.id, { ...rental, state: 'released' });
    day.served = true;
  },

  /** Time passes: overdue vehicles are rolled, who did not come for theirs loses it. */
  advance: async (day, { length }) => {
    day.clock += (1 + (length % 8)) / 2;
    for (const rental of day.rentals.values()) {
      if (rental.due > day.clock) continue;
      if (rental.state === 'out') {
        const until = Math.max(rental.until, day.clock + AHEAD_H + TURNAROUND_H);
        await calendar(t.db, (tx) => rollSpan(tx, rental.id, hour(day.clock + AHEAD_H)));
        day.rentals.set(rental.id, { ...rental, until });
      } else if (rental.state === 'reserved') {
        await calendar(t.db, (tx) => releaseSpan(tx, rental.id));
        day.rentals.set(rental.id, { ...rental, state: 'released' });
      }
    }
  },
};

/** After each step: ranges and grips as the model has them, no overlap, and the same count of free. */
async function compare(day: Day, step: Step): Promise<void> {
  const before = new Map(day.spans.map((s) => [s.id, s]));
  day.spans = (await spansOf(t.owner, day.branchId)).map((row) => placed(row, hour(0)));
  const counted = [...day.rentals.values()].filter((r) => r.state !== 'released');
  expect(day.spans.map((s) => s.id).sort()).toEqual(counted.map((r) => r.id).sort());
  for (const rental of counted) {
    const span = spanIn(day, rental);
    expect(span.from).toBeCloseTo(rental.from);
    expect(span.until).toBeCloseTo(rental.until);
    expect(span.grip).toBe(expectedGrip(rental, span));
    if (span.vehicle === null) {
      seen.add('demand waits');
      expect(span.reason).toBe('overdue');
      if (day.served) expect(freeVehicles(day.spans, day.vehicles, span)).toEqual([]);
    } else expect(inTheWay(day.spans, span.vehicle, span, span.id)).toEqual([]);
    const was = before.get(rental.id);
    if (was?.grip === 'out' || was?.grip === 'firm') expect(span.vehicle).toBe(was.vehicle);
    if (was?.vehicle === null && span.vehicle !== null) seen.add('waiting demand served');
    if (step.kind === 'reserve' && was !== undefined) expect(span).toEqual(was);
  }
  // Every second time is often enough, and the whole walk takes a third less.
  if (step.pick % 2 === 0) await compareAvailability(day, step);
}

/** Counts the free vehicles of some window that the step's numbers name. */
async function compareAvailability(day: Day, { pick, length }: Step): Promise<void> {
  const from = day.clock + (pick % 30);
  const to = from + length / 2;
  const request = { branchId: day.branchId, classId: CLASS, from: hour(from), to: hour(to) };
  const [answer] = (await availability(t.db, request)) ?? [];
  const range = { from, until: to + TURNAROUND_H };
  expect(answer?.free).toBe(freeVehicles(day.spans, day.vehicles, range).length);
}
