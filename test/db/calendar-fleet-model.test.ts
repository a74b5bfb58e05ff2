// The calendar against its model at two branches: random walks with one-way trips, repacks and holds.
import fc from 'fast-check';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { hour, plantFleet } from '../support/fleet.ts';
import { faults, hasGripOf, isHeld, type Seat, type World } from '../support/fleet-model.ts';
import { STEPS } from '../support/fleet-steps.ts';
import { anyStep, CORNERS, type Corner } from '../support/fleet-walks.ts';

/** As many as fit into a minute; `CALENDAR_WALKS=200 npm test -- test/db/calendar-fleet-model` walks more. */
const RUNS = Number(process.env['CALENDAR_WALKS'] ?? 24);
const STEPS_EACH = 60;
/** The same walks in every run of all tests, so that a red one is the change's; 0 takes new ones. */
const SEED = Number(process.env['CALENDAR_SEED'] ?? 11);
/** At once, so that both the server and this process have something to do. */
const WALKERS = 4;

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
  // Thousands of small commits: what they promise is not about the disk.
  await sql`do $$ begin
    execute format('alter database %I set synchronous_commit = off', current_database());
  end $$`.execute(t.owner);
});

const corners = new Set<Corner>();

describe('walks at two branches with two vehicles each', () => {
  test('never overlap or break a place, and are refused only what cannot be', {
    timeout: 600_000,
  }, async () => {
    const walks = Array.from({ length: WALKERS }, (_, walker) =>
      fc.assert(
        fc.asyncProperty(
          fc.array(anyStep, { minLength: STEPS_EACH, maxLength: STEPS_EACH }),
          async (steps) => {
            const world = await aWorld();
            const walk = { t, world, seen: (corner: Corner) => void corners.add(corner) };
            for (const step of steps) {
              await STEPS[step.kind](walk, step);
              await compare(world);
            }
          },
        ),
        { numRuns: RUNS / WALKERS, ...(SEED > 0 && { seed: SEED + walker }) },
      ),
    );
    await Promise.all(walks);
    expect([...corners].sort()).toEqual([...CORNERS].sort());
  });
});

async function aWorld(): Promise<World> {
  const [a, b] = [await plantFleet(t.db, { vehicles: 2 }), await plantFleet(t.db, { vehicles: 2 })];
  const homes = [a, b].flatMap(({ branchId, vehicleIds }) =>
    vehicleIds.map((id) => [id, branchId] as const),
  );
  const branches = [a.branchId, b.branchId] as const;
  const empty = { trips: new Map(), holds: [], seats: [] };
  return { branches, homes: new Map(homes), clock: 0, ...empty };
}

/** After each step the calendar has what was agreed, where it can be, and moved nothing fixed. */
async function compare(world: World): Promise<void> {
  const before = new Map(world.seats.map((seat) => [seat.id, seat]));
  world.seats = await seatsOf(world.branches);
  dropTransfers(world, before);
  const agreed = [...world.trips.values()].filter(({ state }) => state !== 'released');
  expect(world.seats.map(({ id }) => id).sort()).toEqual(agreed.map(({ id }) => id).sort());
  for (const seat of world.seats) {
    const trip = world.trips.get(seat.id);
    if (trip === undefined) continue;
    expect(seat).toMatchObject({ branchOut: trip.branchOut, branchIn: trip.branchIn });
    expect(seat.from).toBeCloseTo(trip.from);
    expect(seat.until).toBeCloseTo(trip.until);
    expect(hasGripOf(trip, seat)).toBe(true);
    const was = before.get(seat.id);
    if (was?.grip === 'out' || was?.grip === 'firm') expect(seat.vehicle).toBe(was.vehicle);
    const isNew = seat.vehicle !== null && seat.vehicle !== was?.vehicle && seat.grip !== 'out';
    if (isNew && trip.state === 'reserved') expect(isHeld(world, seat.vehicle, seat)).toBe(false);
  }
  expect(faults(world)).toEqual([]);
}

/** A planned transfer ends when its vehicle will be elsewhere by then: back in, it would be wrong. */
function dropTransfers(world: World, before: ReadonlyMap<string, Seat>): void {
  const there = new Set(world.seats.map(({ id }) => id));
  for (const trip of world.trips.values()) {
    const seat = before.get(trip.id);
    if (trip.state !== 'transfer' || there.has(trip.id) || seat === undefined) continue;
    expect(faults(world, [...world.seats, seat])).not.toEqual([]);
    world.trips.set(trip.id, { ...trip, state: 'released' });
  }
}

async function seatsOf(branches: readonly string[]): Promise<readonly Seat[]> {
  const { rows } = await sql<Seat>`select s.ref as id, s.id as "spanId", s.version, s.grip,
      s.vehicle_id as vehicle, s.over_limit_reason as reason,
      s.branch_out as "branchOut", s.branch_in as "branchIn",
      (extract(epoch from lower(s.during) - ${hour(0)}::timestamptz) / 3600)::float8 as "from",
      (extract(epoch from upper(s.during) - ${hour(0)}::timestamptz) / 3600)::float8 as until
    from vehicles.span s
    where s.branch_out = any (${branches}) and s.grip <> 'released'
    order by lower(s.during), s.id`.execute(t.owner);
  return rows;
}
