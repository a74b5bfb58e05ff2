// Taking a vehicle out of service against booking it: one of the two wins, never both.
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { changeStatus } from '../../db/commands/vehicle-status.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, book, hour, plantFleet } from '../support/fleet.ts';

const ROUNDS = 40;

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

test('a vehicle is booked or withdrawn, whoever comes first', async () => {
  const outcomes = { booked: 0, withdrawn: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 1 });
    const [vehicleId = ''] = vehicleIds;
    const withdraw = () =>
      changeStatus(t.db, AGENT, {
        vehicleId,
        commandId: uuidv7(),
        name: 'prepare',
        reason: 'Hail',
        now: new Date().toISOString(),
      });
    const reserve = () => {
      return book(t.db, { branchId, from: hour(0), to: hour(5), rentalId: uuidv7() });
    };
    const [booked, withdrawn] = await Promise.all([attempt(reserve()), attempt(withdraw())]);
    const both = [booked === 'vehicle-unavailable', withdrawn === 'invalid-state'];
    expect(both.filter(Boolean), JSON.stringify([booked, withdrawn])).toHaveLength(1);
    outcomes[both[0] ? 'withdrawn' : 'booked'] += 1;
  }
  // Both must have happened, or nothing raced.
  expect(Math.min(outcomes.booked, outcomes.withdrawn)).toBeGreaterThan(0);
});
