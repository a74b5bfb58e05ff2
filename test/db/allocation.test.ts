// Step 2 of a reservation: tentative rentals change vehicles so that one more finds room.
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { recordCommand } from '../../db/commands/rentals.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  AGENT,
  attempt,
  CLASS,
  hour,
  overlaps,
  plantFleet,
  plantTrade,
  plantVehicles,
  spanOf,
  spansOf,
} from '../support/fleet.ts';
import { yard } from '../support/yard.ts';

let t: TestDatabase;
let customerId: string;
const { handOut, release } = yard(() => t);
beforeAll(async () => {
  t = await testDatabase();
  ({ customerId } = await plantTrade(t.db));
});

type Hours = readonly [from: number, to: number];

function reserve(branchId: string, [from, to]: Hours, more: { returnBranchId?: string } = {}) {
  const times = { pickUpAt: hour(from), dueAt: hour(to) };
  return reserveRental(t.db, AGENT, {
    id: uuidv7(),
    branchId,
    classId: CLASS,
    customerId,
    ...times,
    ...more,
  });
}

/**
 * Two vehicles that are free at the same time for no longer than half an hour: the first has [0, 10)
 * and [12, 20), the second [0, 11).
 */
async function scattered() {
  const { branchId } = await plantFleet(t.db, { vehicles: 2 });
  const early = await reserve(branchId, [0, 10]);
  const aside = await reserve(branchId, [0, 20]);
  const late = await reserve(branchId, [12, 20]);
  await release(aside.id);
  const other = await reserve(branchId, [0, 11]);
  expect(late.vehicleId).toBe(early.vehicleId);
  expect(other.vehicleId).not.toBe(early.vehicleId);
  return { branchId, early, late, other };
}

describe('a reservation that no vehicle is free for', () => {
  test('gets one when another rental can move, and says which', async () => {
    const { branchId, late, other } = await scattered();
    const answer = await reserve(branchId, [10.5, 14]);
    expect(answer.vehicleId).toBe(late.vehicleId);
    const moved = { rentalId: late.id, vehicleId: other.vehicleId };
    expect(answer.reassigned).toMatchObject([moved]);
    expect(await spanOf(t.owner, late.id)).toMatchObject({ vehicleId: other.vehicleId });
    expect(await overlaps(t.owner)).toBe(0);
  });

  test('is refused when what is in the way is fixed: vehicles that are out do not move', async () => {
    const { branchId, late, other } = await scattered();
    await handOut(other.id, hour(0));
    await handOut(late.id, hour(12));
    expect(await attempt(reserve(branchId, [10.5, 14]))).toBe('vehicle-unavailable');
    expect(await overlaps(t.owner)).toBe(0);
  });

  test('keeps one-way rentals together with those that start where they end', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 2 });
    const away = await plantFleet(t.db, { vehicles: 0 });
    const there = await reserve(branchId, [0, 10], { returnBranchId: away.branchId });
    const onward = await reserve(away.branchId, [11, 20]);
    expect(onward.vehicleId).toBe(there.vehicleId);
    const home = await reserve(branchId, [0, 30]);
    // The other one has to go all the way, so there is nothing that may move for it.
    expect(await attempt(reserve(branchId, [4, 6]))).toBe('vehicle-unavailable');
    expect(home.vehicleId).not.toBe(there.vehicleId);
  });
});

describe('an extension that the vehicle has no time for', () => {
  const extend = (id: string, version: number, due: number) =>
    recordCommand(t.db, AGENT, {
      commandId: uuidv7(),
      rentalId: id,
      version,
      command: { type: 'extend', dueAt: hour(due) },
    });

  test('gets it when the rental behind it can move only after another one', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const early = await reserve(branchId, [0, 10]);
    const behind = await reserve(branchId, [12, 20]);
    await plantVehicles(t.db, branchId, 1);
    const { vehicleId: second } = await reserve(branchId, [0, 11]);
    const later = await reserve(branchId, [14, 22]);
    expect(later.vehicleId).toBe(second);
    await plantVehicles(t.db, branchId, 1);
    await reserve(branchId, [0, 13]);
    await handOut(early.id, hour(0));
    const outcome = await extend(early.id, early.version, 13);
    expect(outcome).toMatchObject({ type: 'extended', vehicleId: early.vehicleId });
    const told = outcome.reassigned.map(({ rentalId }) => rentalId);
    expect(told).toContain(behind.id);
    expect(told.length).toBeGreaterThan(1);
    expect(await overlaps(t.owner)).toBe(0);
  });

  test('gets it on another vehicle while it is not out itself', async () => {
    const { early } = await scattered();
    const outcome = await extend(early.id, early.version, 15);
    expect(outcome.type).toBe('extended');
    expect(await spanOf(t.owner, early.id)).toMatchObject({ until: hour(15.5) });
    expect(await overlaps(t.owner)).toBe(0);
  });

  test('is refused when there is no way, and nothing has moved', async () => {
    const { branchId, early } = await scattered();
    await reserve(branchId, [10.5, 14]);
    const spans = await spansOf(t.owner, branchId);
    expect(await attempt(extend(early.id, early.version, 11))).toBe('vehicle-unavailable');
    expect(await spansOf(t.owner, branchId)).toEqual(spans);
  });
});
