// What may happen at two branches: each step is done to the real calendar and foretold by the model.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { expect } from 'vitest';
import { transact } from '../../db/client.ts';
import { byRepacking, planExtension, planReservation } from '../../db/commands/allocation.ts';
import {
  asked,
  extendSpan,
  handOutSpan,
  releaseSpan,
  returnSpan,
} from '../../db/commands/calendar.ts';
import { takeSpan } from '../../db/commands/calendar-booking.ts';
import { applyMoves, type Move } from '../../db/commands/calendar-repack.ts';
import type { RentalRequest } from '../../domain/rental.ts';
import type { TestDatabase } from './database.ts';
import { AGENT, attempt, CLASS, calendar, hour, READING } from './fleet.ts';
import { choose, movable, nextBehind, placeAt } from './fleet-choices.ts';
import {
  extensionOf,
  faults,
  isHeld,
  questionOf,
  type Seat,
  seatOf,
  TURNAROUND_H,
  type World,
} from './fleet-model.ts';
import { move } from './fleet-moves.ts';
import type { Corner, Kind, Step } from './fleet-walks.ts';
import { held } from './holds.ts';
import { canBePlaced } from './repack-oracle.ts';

export type Walk = {
  readonly t: TestDatabase;
  readonly world: World;
  readonly seen: (corner: Corner) => void;
};

/** A step that found nothing it could be about: the calendar was not asked. */
export const IDLE = 'idle';

const FULL = 'vehicle-unavailable';
const TRAVEL_H = 3;
/** Only the count of nodes ends a search here, so that a busy machine changes no answer. */
const still = () => 0;

export const STEPS: Readonly<Record<Kind, (walk: Walk, step: Step) => Promise<unknown>>> = {
  reserve: (walk, step) => reserve(walk, step, false),
  oneWay: (walk, step) => reserve(walk, step, true),

  extend: async ({ t, world, seen }, { pick, length }) => {
    const { clock } = world;
    const trip = choose(
      world,
      pick,
      ({ state, until }) => state === 'out' || (state === 'reserved' && until > clock),
    );
    if (trip === undefined) return IDLE;
    const longer = { ...trip, until: trip.until + length / 2 };
    const due = hour(longer.until - TURNAROUND_H);
    const extend = (moves: readonly Move[]) =>
      calendar(t.db, async (tx) => {
        if (moves.length > 0) await applyMoves(tx, moves, null);
        return extendSpan(tx, trip.id, due);
      });
    const first = await attempt(extend([]));
    const isWaiting = seatOf(world, trip.id).vehicle === null;
    if (first === 'vehicle-held') {
      expect(isHeld(world, seatOf(world, trip.id).vehicle ?? '', longer)).toBe(true);
      return;
    }
    if (first === FULL && isWaiting) return;
    if (first !== FULL) {
      seen('extended');
      world.trips.set(trip.id, longer);
      return;
    }
    const second = await byRepacking(
      () => planExtension(t.db, AGENT, trip.id, due, still),
      ({ moves }) => extend(moves),
    ).catch((error: { code?: string }) => String(error.code));
    if (typeof second !== 'string') {
      seen('extended by a repack');
      world.trips.set(trip.id, longer);
      return;
    }
    const question = extensionOf(world, trip, longer.until);
    const isPossible = question !== null && canBePlaced(question);
    expect(second).not.toBe('exhausted');
    expect(isPossible).toBe(false);
    seen('extension refused');
  },

  swap: async (walk, { pick, other }) => {
    const one = movable(walk.world, pick);
    const two = movable(walk.world, other);
    if (one === undefined || two === undefined || one.id === two.id) return IDLE;
    await move(walk, [
      { seat: one, vehicle: two.vehicle },
      { seat: two, vehicle: one.vehicle },
    ]);
  },

  repack: async (walk, { pick, other }) => {
    const seat = movable(walk.world, pick);
    const vehicles = [...walk.world.homes.keys()];
    const vehicle = vehicles[other % vehicles.length] ?? null;
    if (seat === undefined || seat.vehicle === vehicle) return IDLE;
    await move(walk, [{ seat, vehicle }]);
  },

  transfer: async ({ t, world, seen }, { pick, ahead }) => {
    const vehicles = [...world.homes.keys()];
    const vehicle = vehicles[pick % vehicles.length] ?? '';
    const from = world.clock + ahead / 2;
    const id = uuidv7();
    const place = placeAt(world, vehicle, from);
    const branchIn = world.branches.find((branch) => branch !== place) ?? '';
    const until = from + TRAVEL_H + TURNAROUND_H;
    const answer = await transact(t.db, 'vehicles_rw', AGENT, (tx) =>
      asked<{ readonly refused?: string }>(
        tx,
        sql`vehicles.place_transfer(${id}, ${vehicle}, ${branchIn}, ${hour(from)}, null)`,
      ),
    );
    const trip = { id, state: 'transfer', from, until, branchOut: place, branchIn } as const;
    const seat = { ...trip, spanId: '', version: 0, grip: 'tentative', vehicle, reason: null };
    const fits = faults(world, [...world.seats, seat]).length === 0;
    expect(answer.refused === undefined).toBe(fits);
    seen(fits ? 'transfer' : 'transfer refused');
    if (fits) world.trips.set(id, trip);
  },

  hold: async ({ t, world }, { pick, ahead, length }) => {
    const vehicles = [...world.homes.keys()];
    const vehicle = vehicles[pick % vehicles.length] ?? '';
    if (world.holds.length >= 2) return IDLE;
    const [from, until] = [world.clock + ahead / 2, world.clock + (ahead + length) / 2];
    world.holds.push({ vehicle, from, until });
    await held(t, vehicle, { from: hour(from), until: hour(until) });
  },

  cancel: async ({ t, world }, { pick }) => {
    const trip = choose(world, pick, ({ state }) => state === 'reserved');
    if (trip === undefined) return IDLE;
    await calendar(t.db, (tx) => releaseSpan(tx, trip.id));
    world.trips.set(trip.id, { ...trip, state: 'released' });
  },

  checkOut: async ({ t, world }, { pick }) => {
    const { clock } = world;
    const trip = choose(
      world,
      pick,
      ({ state, from, until }) => state === 'reserved' && from <= clock + 2 && until > clock + 1,
    );
    // Who did not come is given up first: until then the vehicle's past is not over.
    const isFirst = (seat: Seat) =>
      world.seats.every(
        (s) => s.vehicle !== seat.vehicle || s.from >= seat.from || s.grip === 'firm',
      );
    if (trip === undefined || !isFirst(seatOf(world, trip.id))) return IDLE;
    const keys = { ...READING, vehicleId: undefined };
    const answer = await attempt(
      calendar(t.db, (tx) => handOutSpan(tx, trip.id, hour(clock), keys)),
    );
    if (typeof answer === 'string') {
      expect(['no-vehicle', 'vehicle-held']).toContain(answer);
      return;
    }
    const cut = world.seats.filter(
      ({ vehicle, grip, until }) =>
        vehicle === answer.vehicleId && grip === 'firm' && until > clock,
    );
    for (const { id } of cut) {
      const before = world.trips.get(id);
      if (before !== undefined) world.trips.set(id, { ...before, until: clock });
    }
    world.trips.set(trip.id, { ...trip, state: 'out', from: clock });
  },

  checkIn: async ({ t, world, seen }, { pick, other, length }) => {
    world.clock += length / 4;
    // In a step of its own, after which the calendar is looked at again.
    if ((await releaseMissed(t, world)) > 0) return;
    const trip = choose(world, pick, ({ state }) => state === 'out');
    if (trip === undefined) return IDLE;
    const branchIn = other % 4 === 0 ? (world.branches[other % 2] ?? '') : trip.branchIn;
    const next = nextBehind(world, trip, branchIn)?.from ?? Number.POSITIVE_INFINITY;
    const until = Math.min(world.clock + TURNAROUND_H, next);
    await calendar(t.db, (tx) =>
      returnSpan(tx, trip.id, hour(world.clock), { ...READING, branchId: branchIn }),
    );
    if (branchIn !== trip.branchIn) seen('checked in elsewhere');
    world.trips.set(trip.id, { ...trip, state: 'returned', until, branchIn });
  },
};

/** Who did not come in all the time that was booked is given up, as the rentals' own timers do. */
async function releaseMissed(t: TestDatabase, { trips, clock }: World): Promise<number> {
  const missed = [...trips.values()].filter(
    ({ state, until }) => state === 'reserved' && until <= clock,
  );
  for (const trip of missed) {
    await calendar(t.db, (tx) => releaseSpan(tx, trip.id));
    trips.set(trip.id, { ...trip, state: 'released' });
  }
  return missed.length;
}

async function reserve({ t, world, seen }: Walk, step: Step, isOneWay: boolean): Promise<void> {
  const branchOut = world.branches[step.pick % 2] ?? '';
  const branchIn = isOneWay ? (world.branches[(step.pick + 1) % 2] ?? '') : branchOut;
  const from = world.clock + step.ahead / 2;
  const due = from + step.length / 2;
  const until = due + TURNAROUND_H;
  const id = uuidv7();
  const request: RentalRequest = {
    id,
    branchId: branchOut,
    returnBranchId: branchIn,
    classId: CLASS,
    customerId: id,
    pickUpAt: hour(from),
    dueAt: hour(due),
  };
  const trip = { id, state: 'reserved', from, until, branchOut, branchIn } as const;
  const first = await attempt(calendar(t.db, (tx) => takeSpan(tx, request)));
  if (first !== FULL) {
    seen('reserved at once');
    world.trips.set(id, trip);
    return;
  }
  const second = await byRepacking(
    () => planReservation(t.db, AGENT, request, still),
    ({ moves, vehicleId }) =>
      calendar(t.db, (tx) => applyMoves(tx, moves, { request, vehicleId: vehicleId ?? '' })),
  );
  expect(second).not.toBe('exhausted');
  expect(second !== 'none').toBe(canBePlaced(questionOf(world, trip)));
  seen(second === 'none' ? 'refused' : 'reserved by a repack');
  if (second !== 'none') world.trips.set(id, trip);
}
