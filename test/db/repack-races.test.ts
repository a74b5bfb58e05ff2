// Many counters at once on a full pool: repacks among them, no overlap, no deadlock for a caller.
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Db, openDb } from '../../db/client.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, CLASS, hour, overlaps, plantFleet, plantTrade, spansOf } from '../support/fleet.ts';
import { generator } from '../support/random.ts';
import { canBePlaced } from '../support/repack-oracle.ts';

const CLIENTS = 32;
/** Of 6,400 without the search in between, calendar-races.test.ts tells. */
const RESERVATIONS = 640;

let t: TestDatabase;
let busy: Db;
let customerId: string;
beforeAll(async () => {
  t = await testDatabase();
  busy = openDb(t.url, { max: 16 });
  ({ customerId } = await plantTrade(t.db));
});
afterAll(() => busy.destroy());

/** In whole hours after the tests' common beginning. */
type Asked = { readonly from: number; readonly to: number };

function reserve(branchId: string, { from, to }: Asked) {
  const times = { pickUpAt: hour(from), dueAt: hour(to) };
  return reserveRental(busy, AGENT, {
    id: uuidv7(),
    branchId,
    classId: CLASS,
    customerId,
    ...times,
  });
}

/** 32 counters at work at any time; what each reservation came to: vehicles, or the refusal's code. */
async function reserveAll(branchId: string, asked: readonly Asked[]) {
  const counts: Record<string, number> = {};
  const refused: Asked[] = [];
  let repacked = 0;
  const queue = asked.values();
  const client = async () => {
    for (const each of queue) {
      let result = 'done';
      try {
        repacked += (await reserve(branchId, each)).reassigned === undefined ? 0 : 1;
      } catch (error) {
        result = (error as { code?: string }).code ?? String(error);
        refused.push(each);
      }
      counts[result] = (counts[result] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return { counts, refused, repacked };
}

test('640 random reservations on 20 vehicles by 32 clients never overlap', {
  timeout: 120_000,
}, async () => {
  const { branchId } = await plantFleet(t.db, { vehicles: 20 });
  const random = generator(11);
  const asked = Array.from({ length: RESERVATIONS }, () => {
    const from = random(1_400);
    return { from, to: from + 1 + random(70) };
  });
  const { counts, repacked } = await reserveAll(branchId, asked);
  expect(Object.keys(counts).sort()).toEqual(['done', 'vehicle-unavailable']);
  expect(repacked).toBeGreaterThan(0);
  expect(await overlaps(t.owner)).toBe(0);
});

test('every refusal is true: at the end an exact solver finds no place for it either', {
  timeout: 120_000,
}, async () => {
  const random = generator(5);
  for (let round = 0; round < 5; round += 1) {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 4 });
    const asked = Array.from({ length: 24 }, () => {
      const from = random(24);
      return { from, to: from + 1 + random(11) };
    });
    const { counts, refused } = await reserveAll(branchId, asked);
    expect(Object.keys(counts).sort()).toEqual(['done', 'vehicle-unavailable']);
    const vehicles = vehicleIds.map((id) => ({ id, branchId, fixed: [] }));
    const place = { branchOut: branchId, branchIn: branchId };
    const kept = (await spansOf(t.owner, branchId)).map((span) => ({
      ...place,
      id: span.ref,
      from: Date.parse(span.from),
      to: Date.parse(span.until),
      vehicleId: span.vehicleId,
    }));
    for (const { from, to } of refused) {
      const times = { from: Date.parse(hour(from)), to: Date.parse(hour(to + 0.5)) };
      const demand = { ...place, ...times, id: 'demand', vehicleId: null };
      expect(canBePlaced({ vehicles, spans: [...kept, demand] })).toBe(false);
    }
  }
  expect(await overlaps(t.owner)).toBe(0);
});
