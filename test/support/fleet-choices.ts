// Which trip, span or vehicle a random step is about, and what stands behind or before it.
import { type Seat, seatOf, type Trip, type World } from './fleet-model.ts';

export function choose(
  world: World,
  pick: number,
  applies: (trip: Trip) => boolean,
): Trip | undefined {
  const some = [...world.trips.values()].filter(applies);
  return some[pick % Math.max(some.length, 1)];
}

/** Not who should have come and gone: nobody moves what is over. */
export function movable({ seats, trips, clock }: World, pick: number): Seat | undefined {
  const some = seats.filter(
    ({ id, grip, until }) =>
      grip === 'tentative' && until > clock && trips.get(id)?.state === 'reserved',
  );
  return some[pick % Math.max(some.length, 1)];
}

/** What stays booked on the vehicle of a trip when that ends at `branchIn`. */
export function nextBehind(world: World, trip: Trip, branchIn: string): Seat | undefined {
  const { vehicle } = seatOf(world, trip.id);
  const behind = world.seats.filter((s) => s.vehicle === vehicle && s.from > trip.from);
  return behind.sort((a, b) => a.from - b.from).find(({ branchOut }) => branchOut === branchIn);
}

export function placeAt(world: World, vehicle: string, at: number): string {
  const earlier = world.seats.filter((seat) => seat.vehicle === vehicle && seat.from < at);
  const last = earlier.sort((a, b) => a.from - b.from).at(-1);
  return last?.branchIn ?? world.homes.get(vehicle) ?? '';
}
