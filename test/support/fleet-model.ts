// Two branches and their vehicles in memory: which trips there are, and what a calendar must keep true.
import type { FixedTime, RepackProblem, RepackSpan } from '../../domain/repack/problem.ts';
import { faultsOf } from './repack-oracle.ts';

export const TURNAROUND_H = 0.5;

/** What was agreed; times are hours since the tests' common beginning, the turnaround included. */
export type Trip = {
  readonly id: string;
  readonly state: 'reserved' | 'out' | 'returned' | 'transfer' | 'released';
  readonly from: number;
  readonly until: number;
  readonly branchOut: string;
  readonly branchIn: string;
};

/** Where the real calendar has a trip. */
export type Seat = {
  readonly id: string;
  readonly spanId: string;
  readonly version: number;
  readonly grip: string;
  readonly vehicle: string | null;
  readonly reason: string | null;
} & Omit<Trip, 'state'>;

export type Hold = { readonly vehicle: string; readonly from: number; readonly until: number };

export type World = {
  readonly branches: readonly [string, string];
  /** Where each vehicle stood at the beginning. */
  readonly homes: ReadonlyMap<string, string>;
  readonly trips: Map<string, Trip>;
  readonly holds: Hold[];
  clock: number;
  /** The real calendar after the last step. */
  seats: readonly Seat[];
};

const GRIPS: Readonly<Record<Trip['state'], readonly string[]>> = {
  reserved: ['tentative', 'unassigned'],
  out: ['out'],
  returned: ['firm'],
  transfer: ['tentative'],
  released: [],
};

/** Whether the calendar shows the trip with a grip that its state may have. */
export function hasGripOf(trip: Trip, { grip, vehicle, reason }: Seat): boolean {
  if (!GRIPS[trip.state].includes(grip) || (vehicle === null) !== (grip === 'unassigned')) {
    return false;
  }
  // Nobody overbooks here: only who lost a vehicle to another's late return or other way may wait.
  return vehicle !== null || reason === 'elsewhere' || reason === 'overdue';
}

export function isHeld(world: World, vehicle: string, range: Pick<Trip, 'from' | 'until'>) {
  return world.holds.some(
    (hold) => hold.vehicle === vehicle && hold.from < range.until && range.from < hold.until,
  );
}

/** Overlaps and breaks of place over all vehicles, if the seats were these. */
export function faults(world: World, seats: readonly Seat[] = world.seats): readonly string[] {
  return faultsOf(
    asProblem(world, seats, () => false),
    [],
  );
}

/**
 * The question of a new trip out of a branch: the tentative trips out of it may move, all else is
 * fixed, and so is what a hold or a lack of place would keep from where it is.
 */
export function questionOf(world: World, trip: Booked, without?: string): RepackProblem {
  const seats = world.seats.filter(({ id }) => id !== without);
  const { vehicles, spans } = asProblem(world, seats, movableFrom(world, trip.branchOut));
  const demand = { ...timesOf(trip), id: 'demand', vehicleId: null };
  return { vehicles: withHolds(world, vehicles), spans: [...spans, demand] };
}

/**
 * The question of a trip that is to end later: when it is out, its vehicle is fixed, and who starts
 * where it will be back may move. Null when what cannot move is in its way.
 */
export function extensionOf(world: World, trip: Trip, until: number): RepackProblem | null {
  if (trip.state === 'reserved') return questionOf(world, { ...trip, until }, trip.id);
  const own = seatOf(world, trip.id);
  const mayMove = movableFrom(world, trip.branchIn);
  const isInTheWay = (seat: Seat) =>
    seat.vehicle === own.vehicle && seat.from > own.from && seat.from < until && !mayMove(seat);
  if (world.seats.some(isInTheWay)) return null;
  const seats = world.seats.map((seat) => (seat.id === trip.id ? { ...seat, until } : seat));
  const { vehicles, spans } = asProblem(world, seats, mayMove);
  return { vehicles: withHolds(world, vehicles), spans };
}

type Booked = Omit<Trip, 'id' | 'state'>;

function movableFrom(world: World, branch: string): (seat: Seat) => boolean {
  return (seat) =>
    seat.grip === 'tentative' &&
    seat.branchOut === branch &&
    world.trips.get(seat.id)?.state === 'reserved' &&
    !isHeld(world, seat.vehicle ?? '', seat);
}

function withHolds(world: World, vehicles: RepackProblem['vehicles']): RepackProblem['vehicles'] {
  const holes = (vehicle: string): FixedTime[] =>
    world.holds
      .filter((hold) => hold.vehicle === vehicle)
      .map(({ from, until }) => ({ from, to: until, branchOut: null, branchIn: null }));
  return vehicles.map((each) => ({ ...each, fixed: [...each.fixed, ...holes(each.id)] }));
}

function asProblem(
  world: World,
  seats: readonly Seat[],
  mayMove: (seat: Seat) => boolean,
): RepackProblem {
  return {
    vehicles: [...world.homes].map(([id, branchId]) => ({
      id,
      branchId,
      fixed: seats.filter((seat) => seat.vehicle === id && !mayMove(seat)).map(timesOf),
    })),
    spans: seats.filter(mayMove).map((seat): RepackSpan => {
      return { ...timesOf(seat), id: seat.id, vehicleId: seat.vehicle };
    }),
  };
}

function timesOf({ from, until, branchOut, branchIn }: Booked): FixedTime & {
  readonly branchOut: string;
  readonly branchIn: string;
} {
  return { from, to: until, branchOut, branchIn };
}

export function seatOf(world: World, id: string): Seat {
  const seat = world.seats.find((each) => each.id === id);
  if (seat === undefined) throw new Error(`${id} is not in the calendar.`);
  return seat;
}
