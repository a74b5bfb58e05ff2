// Holds and the whole booked time: what may be booked, handed out and extended on a held vehicle.
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { moveOff } from '../../db/commands/calendar.ts';
import { setHold } from '../../db/commands/holds.ts';
import { availability } from '../../db/queries/vehicles.ts';
import type { DomainError } from '../../domain/errors.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, attempt, book, CLASS, hour, plantFleet, spanOf } from '../support/fleet.ts';
import { yard } from '../support/yard.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

const { extend, handOut, outAndNext } = yard(() => t);

type Times = { readonly from?: number; readonly until?: number };

/** Sets a hold for hours since the tests' common beginning; open ends unless named. */
function hold(vehicleId: string, severity: 'soft' | 'hard', { from, until }: Times = {}) {
  return transact(t.db, 'vehicles_rw', AGENT, (tx) =>
    setHold(tx, {
      source: 'manual',
      sourceRef: uuidv7(),
      vehicleId,
      hold: {
        type: 'certificate',
        severity,
        reason: 'inspection',
        ...(from === undefined ? {} : { from: hour(from) }),
        ...(until === undefined ? {} : { until: hour(until) }),
      },
    }),
  );
}

async function free(branchId: string, from: number, to: number): Promise<number | undefined> {
  const window = { branchId, classId: CLASS, from: hour(from), to: hour(to) };
  return (await availability(t.db, window))?.[0]?.free;
}

describe('a hard hold', () => {
  test('that begins on the third day keeps the vehicle from today’s booking of five', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 1 });
    await hold(vehicleIds[0] ?? '', 'hard', { from: 72 });
    expect([await free(branchId, 0, 120), await free(branchId, 0, 71)]).toEqual([0, 1]);
    expect(await attempt(book(t.db, { branchId, from: hour(0), to: hour(120) }))).toBe(
      'vehicle-unavailable',
    );
    await book(t.db, { branchId, from: hour(0), to: hour(71) });
  });

  test('sends a booking to the vehicle that has none', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 2 });
    const [held = '', other] = vehicleIds;
    await hold(held, 'hard', { from: 20, until: 30 });
    const long = await book(t.db, { branchId, from: hour(0), to: hour(40) });
    expect(long.vehicleId).toBe(other);
    expect(await book(t.db, { branchId, from: hour(31), to: hour(40) })).toMatchObject({
      vehicleId: held,
    });
  });

  test('refuses the keys, says which hold and names another vehicle', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 2 });
    const { rentalId, vehicleId } = await book(t.db, { branchId, from: hour(0), to: hour(40) });
    const { holdId } = await hold(vehicleId, 'hard', { from: 20, until: 30 });
    const refused = await handOut(rentalId, hour(0)).catch((error: DomainError) => error);
    expect(refused).toMatchObject({
      code: 'vehicle-held',
      details: {
        holdId,
        holdType: 'certificate',
        replacementId: vehicleIds.find((id) => id !== vehicleId),
      },
    });
    expect(Date.parse(String((refused as DomainError).details['until']))).toBe(
      Date.parse(hour(30)),
    );
    await handOut(
      rentalId,
      hour(0),
      vehicleIds.find((id) => id !== vehicleId),
    );
  });

  test('does not take a vehicle from its renter, and only keeps it from being extended', async () => {
    const { a } = await outAndNext(2);
    await hold(a.vehicleId, 'hard', { from: 14 });
    await extend(a.rentalId, hour(11));
    await expect(extend(a.rentalId, hour(20))).rejects.toMatchObject({
      code: 'vehicle-held',
      details: { holdType: 'certificate' },
    });
  });

  test('lets a reservation move to another vehicle when it is extended into it', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 2 });
    const { rentalId, vehicleId } = await book(t.db, { branchId, from: hour(0), to: hour(10) });
    await hold(vehicleId, 'hard', { from: 14 });
    const { vehicleId: other } = await extend(rentalId, hour(20));
    expect(other).toBe(vehicleIds.find((id) => id !== vehicleId));
  });

  test('moves what is booked off its vehicle, as far as there is another', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 2 });
    const [held = '', other] = vehicleIds;
    const booked = [
      await book(t.db, { branchId, from: hour(0), to: hour(10) }),
      await book(t.db, { branchId, from: hour(0), to: hour(10) }),
      await book(t.db, { branchId, from: hour(50), to: hour(60) }),
      await book(t.db, { branchId, from: hour(0), to: hour(48) }).catch(() => undefined),
    ];
    await hold(held, 'hard');
    await transact(t.db, 'vehicles_rw', AGENT, (tx) => moveOff(tx, held));
    const places = await Promise.all(
      booked.map(async (one) => one && (await spanOf(t.owner, one.rentalId)).vehicleId),
    );
    // Of the two at once only one has room on the other vehicle: the second keeps its place.
    expect(places.slice(0, 2).sort()).toEqual([held, other].sort());
    expect(places[2]).toBe(other);
  });
});

test('a soft hold keeps nothing, and is told with the keys', async () => {
  const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 1 });
  const { holdId } = await hold(vehicleIds[0] ?? '', 'soft', { from: 20 });
  const { rentalId } = await book(t.db, { branchId, from: hour(0), to: hour(40) });
  const { warnings } = await handOut(rentalId, hour(0));
  expect(warnings).toMatchObject([{ holdId, type: 'certificate' }]);
});
