// The calendar against its model at two branches: random walks with one-way trips, repacks and holds.
import fc from 'fast-check';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { hour, plantFleet } from '../support/fleet.ts';
import { faults, hasGripOf, isHeld, type Seat, type World } from '../support/fleet-model.ts';
import { IDLE, STEPS } from '../support/fleet-steps.ts';
import { anyStep, CORNERS, type Corner, type Kind } from '../support/fleet-walks.ts';

/** What the whole suite has time for; `CALENDAR_WALKS=200` walks as far as a release should. */
const RUNS = Number(process.env['CALENDAR_WALKS'] ?? 24);
const STEPS_EACH = 60;
/** The same walks in every run of all tests, so that a red one is the change's. */
const SEED = Number(process.env['CALENDAR_SEED'] ?? 11);
/** Of a red walk, as its message names it: then that one alone is walked, and made shorter. */
const PATH = process.env['CALENDAR_PATH'];
/** At once, so that both the server and this process have something to do. */
const WALKERS = PATH === undefined ? 4 : 1;

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
    await Promise.all(Array.from({ length: WALKERS }, (_, walker) => walkAll(SEED + walker)));
    if (PATH === undefined) expect([...corners].sort()).toEqual([...CORNERS].sort());
  });
});

async function walkAll(seed: number): Promise<void> {
  const walks = fc.asyncProperty(
    fc.array(anyStep, { minLength: STEPS_EACH, maxLength: STEPS_EACH }),
    async (steps) => {
      const world = await aWorld();
      const walk = { t, world, seen: (corner: Corner) => void corners.add(corner) };
      for (const step of steps) {
        if ((await STEPS[step.kind](walk, step)) !== IDLE) await compare(world, step.kind);
      }
    },
  );
  const replayed = PATH === undefined ? { endOnFailure: true } : { path: PATH };
  const found = await fc.check(walks, { numRuns: RUNS / WALKERS, seed, ...replayed });
  if (!found.failed) return;
  const again = `CALENDAR_SEED=${seed} CALENDAR_PATH=${found.counterexamplePath}`;
  const steps = found.counterexample?.[0].map((step) => JSON.stringify(step)).join('\n');
  throw new Error(`A walk went wrong; ${again} walks it again.\n${steps}`, {
    cause: found.errorInstance,
  });
}

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
async function compare(world: World, kind: Kind): Promise<void> {
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
    if (was?.vehicle && !STRANDS.includes(kind)) expect(seat.vehicle).not.toBe(null);
    if (trip.state !== 'transfer' && wasPlaced(seat, was))
      expect(isHeld(world, seat.vehicle, seat)).toBe(false);
  }
  expect(faults(world)).toEqual([]);
}

/** After these a vehicle is not where others count on it, so that one may be left without. */
const STRANDS: readonly Kind[] = ['checkIn', 'cancel', 'hold'];

/** It has another vehicle than before, or has it for longer, or its keys went out. */
function wasPlaced(seat: Seat, was: Seat | undefined): seat is Seat & { vehicle: string } {
  if (seat.vehicle === null || (seat.grip !== 'tentative' && seat.grip !== 'out')) return false;
  if (was === undefined || was.vehicle !== seat.vehicle) return true;
  return seat.until > was.until || seat.grip !== was.grip;
}

/**
 * A planned transfer ends when its vehicle will be elsewhere by then: back in, it would be wrong, but
 * for who was given the vehicle after that.
 */
function dropTransfers(world: World, before: ReadonlyMap<string, Seat>): void {
  const there = new Set(world.seats.map(({ id }) => id));
  for (const trip of world.trips.values()) {
    const seat = before.get(trip.id);
    if (trip.state !== 'transfer' || there.has(trip.id) || seat === undefined) continue;
    const stayed = world.seats.filter(({ id, vehicle }) => before.get(id)?.vehicle === vehicle);
    expect(faults(world, [...stayed, seat])).not.toEqual([]);
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
