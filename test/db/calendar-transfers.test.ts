// Transfers: a vehicle driven to another branch is there when it arrives, not before.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { asked } from '../../db/commands/calendar.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, hour, overlaps, spanOf } from '../support/fleet.ts';
import { journeys, yard } from '../support/yard.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

const { handOut } = yard(() => t);
const { twoBranches, drive, free, branchOf } = journeys(() => t);
const full = 'vehicle-unavailable';

describe('a transfer', () => {
  const move = (call: ReturnType<typeof sql>) =>
    transact(t.db, 'vehicles_rw', AGENT, (tx) => asked<Record<string, unknown>>(tx, call));
  const plan = (ref: string, vehicle: string, to: string, from: number) =>
    move(sql`vehicles.place_transfer(${ref}, ${vehicle}, ${to}, ${hour(from)}, null)`);

  test('takes the travel time of the pair, either way, and then the vehicle is there', async () => {
    const { a, b, atA } = await twoBranches(1, 0);
    const [ref, vehicle = ''] = [uuidv7(), atA[0]];
    await sql`insert into vehicles.travel_time values (${b}, ${a}, 90)`.execute(t.owner);
    const planned = await plan(ref, vehicle, b, 0);
    expect(planned).toMatchObject({ branchOut: a, existing: false });
    expect(new Date(String(planned['until'])).toISOString()).toBe(hour(2.5));
    expect([await free(a, 3, 9), await free(b, 2.4, 9), await free(b, 2.5, 9)]).toEqual([0, 0, 1]);
    const next = await drive(b, b, 3, 9);
    await move(sql`vehicles.depart_transfer(${ref}, ${hour(0)})`);
    await move(sql`vehicles.arrive_transfer(${ref}, ${hour(1)})`);
    expect(await branchOf(vehicle)).toBe(b);
    await handOut(next.rentalId, hour(3));
  });

  test('bridges two bookings that do not meet', async () => {
    const { a, b, atA } = await twoBranches(1, 0);
    await drive(a, a, 0, 10);
    await plan(uuidv7(), atA[0] ?? '', b, 11);
    expect(await drive(b, b, 16, 20)).toMatchObject({ vehicleId: atA[0] });
  });

  test('is refused where the vehicle is promised, and its end re-places what relied on it', async () => {
    const { a, b, atA } = await twoBranches(1, 0);
    const [ref, vehicle = ''] = [uuidv7(), atA[0]];
    await drive(a, a, 20, 30);
    expect(await plan(ref, vehicle, b, 0)).toMatchObject({ refused: full });
    await plan(ref, vehicle, b, 31);
    const relying = await drive(b, b, 40, 50);
    await move(sql`vehicles.cancel_transfer(${ref})`);
    expect(await spanOf(t.owner, relying.rentalId)).toMatchObject({ reason: 'elsewhere' });
  });
});

test('after all of this no vehicle is anywhere twice', async () => {
  expect(await overlaps(t.owner)).toBe(0);
});
