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
  takeSpan,
} from '../../db/commands/calendar.ts';
import { applyMoves, type Move } from '../../db/commands/calendar-repack.ts';
import type { RentalRequest } from '../../domain/rental.ts';
import type { TestDatabase } from './database.ts';
import { AGENT, attempt, CLASS, calendar, hour, READING } from './fleet.ts';
import {
  faults,
  isHeld,
  questionOf,
  type Seat,
  seatOf,
  type Trip,
  TURNAROUND_H,
  type World,
} from './fleet-model.ts';
import type { Corner, Kind, Step } from './fleet-walks.ts';
import { held } from './holds.ts';
import { canBePlaced } from './repack-oracle.ts';

export type Walk = {
  readonly t: TestDatabase;
  readonly world: World;
  readonly seen: (corner: Corner) => void;
};

const FULL = 'vehicle-unavailable';
const STALE = 'version-conflict';
const TRAVEL_H = 3;
/** Only the count of nodes ends a search here, so that a busy machine changes no answer. */
const still = () => 0;

export const STEPS: Readonly<Record<Kind, (walk: Walk, step: Step) => Promise<void>>> = {
  reserve: (walk, step) => reserve(walk, step, false),
  oneWay: (walk, step) => reserve(walk, step, true),

  extend: async ({ t, world, seen }, { pick, length }) => {
    const trip = choose(world, pick, ({ state }) => state === 'reserved' || state === 'out');
    if (trip === undefined) return;
    const longer = { ...trip, until: trip.until + length / 2 };
    const due = hour(longer.until - TURNAROUND_H);
    const extend = (moves: readonly Move[]) =>
      calendar(t.db, async (tx) => {
        if (moves.length > 0) await applyMoves(tx, moves, null);
        return extendSpan(tx, trip.id, due);
      });
    const first = await attempt(extend([]));
    const isWaiting = seatOf(world, trip.id).vehicle === null;
    if (first === 'vehicle-held' || (first === FULL && isWaiting)) return;
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
    seen('extension refused');
  },

  swap: async (walk, { pick, other }) => {
    const one = movable(walk.world, pick);
    const two = movable(walk.world, other);
    if (one === undefined || two === undefined || one.id === two.id) return;
    await move(walk, [
      { seat: one, vehicle: two.vehicle },
      { seat: two, vehicle: one.vehicle },
    ]);
  },

  repack: async (walk, { pick, other }) => {
    const seat = movable(walk.world, pick);
    const vehicles = [...walk.world.homes.keys()];
    const vehicle = vehicles[other % vehicles.length] ?? null;
    if (seat !== undefined && seat.vehicle !== vehicle) await move(walk, [{ seat, vehicle }]);
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
    if (world.holds.length >= 2) return;
    const [from, until] = [world.clock + ahead / 2, world.clock + (ahead + length) / 2];
    world.holds.push({ vehicle, from, until });
    await held(t, vehicle, { from: hour(from), until: hour(until) });
  },

  cancel: async ({ t, world }, { pick }) => {
    const trip = choose(world, pick, ({ state }) => state === 'reserved');
    if (trip === undefined) return;
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
    if (trip === undefined || !isFirst(seatOf(world, trip.id))) return;
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
    const trip = choose(world, pick, ({ state }) => state === 'out');
    if (trip === undefined) return;
    const { vehicle } = seatOf(world, trip.id);
    const branchIn = other % 4 === 0 ? (world.branches[other % 2] ?? '') : trip.branchIn;
    const behind = world.seats.filter((s) => s.vehicle === vehicle && s.from > trip.from);
    const until = Math.min(world.clock + TURNAROUND_H, ...behind.map(({ from }) => from));
    await calendar(t.db, (tx) =>
      returnSpan(tx, trip.id, hour(world.clock), { ...READING, branchId: branchIn }),
    );
    if (branchIn !== trip.branchIn) seen('checked in elsewhere');
    world.trips.set(trip.id, { ...trip, state: 'returned', until, branchIn });
  },
};

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

type Wanted = { readonly seat: Seat; readonly vehicle: string | null };

/** All of it when the model finds nothing wrong with the outcome, else nothing. */
async function move({ t, world, seen }: Walk, wanted: readonly Wanted[]): Promise<void> {
  const moves = wanted.map(({ seat: { spanId, version }, vehicle }) => {
    return { spanId, version, vehicleId: vehicle ?? '' };
  });
  const answer = await attempt(calendar(t.db, (tx) => applyMoves(tx, moves, null)));
  const to = new Map(wanted.map(({ seat, vehicle }) => [seat.id, vehicle]));
  const seats = world.seats.map((s) => ({ ...s, vehicle: to.get(s.id) ?? s.vehicle }));
  const isBarred = wanted.some(({ seat, vehicle }) => isHeld(world, vehicle ?? '', seat));
  const fits = !isBarred && faults(world, seats).length === 0;
  expect(answer === STALE).toBe(!fits);
  seen(fits ? 'moved' : 'move refused');
}

function choose(world: World, pick: number, applies: (trip: Trip) => boolean): Trip | undefined {
  const some = [...world.trips.values()].filter(applies);
  return some[pick % Math.max(some.length, 1)];
}

function movable(world: World, pick: number): Seat | undefined {
  const some = world.seats.filter(
    ({ id, grip }) => grip === 'tentative' && world.trips.get(id)?.state === 'reserved',
  );
  return some[pick % Math.max(some.length, 1)];
}

function placeAt(world: World, vehicle: string, at: number): string {
  const earlier = world.seats.filter((seat) => seat.vehicle === vehicle && seat.from < at);
  const last = earlier.sort((a, b) => a.from - b.from).at(-1);
  return last?.branchIn ?? world.homes.get(vehicle) ?? '';
}
