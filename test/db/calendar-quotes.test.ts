// Quotes that hold a vehicle: they count as bookings do, and end by themselves.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { asked } from '../../db/commands/calendar.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  attempt,
  book,
  CLASS,
  calendar,
  hour,
  hoursFromNow,
  plantFleet,
  spanOf,
} from '../support/fleet.ts';
import { yard } from '../support/yard.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

const { extend, outAndNext, roll } = yard(() => t);

type Answer = {
  readonly vehicleId?: string | null;
  readonly heldUntil?: string;
  readonly refused?: string;
  readonly free?: boolean;
  readonly full?: boolean;
};
const call = (statement: ReturnType<typeof sql>) =>
  calendar(t.db, (tx) => asked<Answer>(tx, statement));

function holdQuote(branchId: string, from: string, to: string, until = hoursFromNow(0.25)) {
  const id = uuidv7();
  const held = call(sql`vehicles.hold_quote(${id}, ${CLASS}, ${branchId}, ${branchId}, ${from},
    ${to}, ${until})`);
  return held.then((answer) => ({ id, ...answer }));
}
const accept = (quote: string, rental: string) =>
  call(sql`vehicles.accept_quote(${quote}, ${rental})`);

describe('a held quote', () => {
  test('keeps its vehicle from others, and never goes beyond what is there', async () => {
    const { branchId, vehicleIds } = await plantFleet(t.db, { vehicles: 1 });
    const quote = await holdQuote(branchId, hour(0), hour(10));
    expect(quote.vehicleId).toBe(vehicleIds[0]);
    expect(await holdQuote(branchId, hour(5), hour(8))).toMatchObject({ full: true });
    expect(await attempt(book(t.db, { branchId, from: hour(0), to: hour(10) }))).toBe(
      'vehicle-unavailable',
    );
    await call(sql`vehicles.release_quote(${quote.id})`);
    await book(t.db, { branchId, from: hour(0), to: hour(10) });
  });

  test('becomes the rental’s place when it is accepted, once', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const quote = await holdQuote(branchId, hour(0), hour(10));
    const rental = uuidv7();
    expect(await accept(quote.id, rental)).toMatchObject({ vehicleId: quote.vehicleId });
    expect(await accept(quote.id, rental)).toMatchObject({ existing: true });
    expect(await spanOf(t.owner, rental)).toMatchObject({ grip: 'tentative' });
  });

  test('is not accepted after its time', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const quote = await holdQuote(branchId, hour(0), hour(10));
    await sql`update vehicles.span set held_until = now() where ref = ${quote.id}`.execute(t.owner);
    const late = { refused: 'quote-expired', free: true };
    expect(await accept(quote.id, uuidv7())).toEqual(late);
    await call(sql`vehicles.release_quote(${quote.id})`);
    expect(await accept(quote.id, uuidv7())).toEqual(late);
    await book(t.db, { branchId, from: hour(0), to: hour(10) });
    expect(await accept(quote.id, uuidv7())).toEqual({ ...late, free: false });
  });

  test('ends two hours before pick-up at the latest', async () => {
    const { branchId } = await plantFleet(t.db, { vehicles: 1 });
    const soon = await holdQuote(branchId, hoursFromNow(3), hoursFromNow(9), hoursFromNow(24));
    expect(Date.parse(soon.heldUntil ?? '')).toBeLessThan(Date.now() + 3_600_100);
    const now = await holdQuote(branchId, hoursFromNow(1), hoursFromNow(9));
    expect(now).toMatchObject({ refused: 'pick-up-too-soon' });
    const raw = sql`update vehicles.span set held_until = lower(during) where ref = ${soon.id}`;
    await expect(raw.execute(t.owner)).rejects.toMatchObject({
      constraint: 'span_quote_ends_before_pick_up',
    });
  });

  test('moves to another vehicle when one is extended, which is refused without', async () => {
    const { branchId, a, b } = await outAndNext(2);
    const quote = await holdQuote(branchId, hour(21), hour(30));
    expect(quote.vehicleId).toBe(a.vehicleId);
    await extend(a.rentalId, hour(25));
    expect((await spanOf(t.owner, quote.id)).vehicleId).not.toBe(a.vehicleId);
    expect((await spanOf(t.owner, b.rentalId)).vehicleId).not.toBe(a.vehicleId);
    await expect(
      extend(a.rentalId, hour(26)).then(() => extend(b.rentalId, hour(22))),
    ).rejects.toMatchObject({ code: 'vehicle-unavailable' });
  });

  test('ends when its vehicle does not come back and there is no other', async () => {
    const { branchId, a } = await outAndNext(1);
    const quote = await holdQuote(branchId, hour(21), hour(30));
    await roll(a.rentalId, hour(25));
    expect(await spanOf(t.owner, quote.id)).toMatchObject({ grip: 'released', vehicleId: null });
    expect(await accept(quote.id, uuidv7())).toMatchObject({ refused: 'quote-expired' });
  });
});
