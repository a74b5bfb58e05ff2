// Who has a recalled vehicle is told, once, and keeps it until it is back.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { createRecallActivities } from '../../activities/recalls.ts';
import { recallById, recalledVehicles } from '../../db/queries/recalls.ts';
import type { RentalState } from '../../domain/rental.ts';
import { refusal } from '../support/accounting.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT, hoursFromNow, PERSON } from '../support/fleet.ts';
import { blocked } from '../support/holds.ts';
import { notice, open } from '../support/recalls.ts';
import { backOf, type RentalDesk, rentalDesk } from '../support/rental-desk.ts';

type Letter = { readonly to: string; readonly subject: string; readonly text: string };

let t: TestDatabase;
let desk: RentalDesk;
beforeAll(async () => {
  t = await testDatabase();
  desk = await rentalDesk(t);
});

/** A rental whose vehicle is out, and the recall of that very vehicle. */
async function recalledRental(): Promise<{ rental: RentalState; recallId: string }> {
  const rental = await desk.handedOut();
  const make = `Make ${rental.number}`;
  await sql`update vehicles.vehicle set make = ${make} where id = ${rental.vehicleId}`.execute(
    t.owner,
  );
  const recallId = uuidv7();
  await open(t, notice(make, { hardFrom: hoursFromNow(0) }), recallId);
  return { rental, recallId };
}

function notify(recallId: string, send: (letter: Letter) => Promise<void>) {
  const { notifyRenters } = createRecallActivities({ db: t.db, mail: { send } });
  return notifyRenters({ recallId });
}

test('a renter gets one letter, and the list says who has the vehicle', async () => {
  const { rental, recallId } = await recalledRental();
  const letters: Letter[] = [];
  const keep = async (letter: Letter) => void letters.push(letter);
  expect(await notify(recallId, keep)).toEqual({ notified: 1 });
  expect(await notify(recallId, keep)).toEqual({ notified: 0 });
  expect(letters).toMatchObject([{ to: PERSON.email }]);
  expect(letters[0]?.text).toContain(rental.number);
  const { rows } = await recalledVehicles(t.db, AGENT, recallId, { limit: 9, onRent: true });
  expect(rows).toMatchObject([
    {
      vehicle_id: rental.vehicleId,
      rental_id: rental.id,
      rental_number: rental.number,
      due_at: rental.dueAt,
      channel: 'mail',
    },
  ]);
  expect(await recallById(t.db, AGENT, recallId)).toMatchObject({ on_rent: 1, version: 2 });
  const { rows: facts } = await sql<{ event: string }>`select event::text from events.outbox
    where aggregate_id = ${recallId} order by seq`.execute(t.owner);
  expect(facts.map(({ event }) => JSON.parse(event).type)).toEqual([
    'forecourt.recall.opened.v1',
    'forecourt.recall.renter-notified.v1',
  ]);
  for (const secret of Object.values(PERSON)) expect(JSON.stringify(facts)).not.toContain(secret);
});

test('while the mail server is down nobody counts as told; the next try reaches them', async () => {
  const { recallId } = await recalledRental();
  const down = notify(recallId, async () => {
    throw new Error('connection refused');
  });
  await expect(down).rejects.toThrow('1 of 1 letters did not go out.');
  expect(await notify(recallId, async () => {})).toEqual({ notified: 1 });
});

test('an address that is refused for good leaves a call to make', async () => {
  const { recallId } = await recalledRental();
  const refused = Object.assign(new Error('no such user'), {
    code: 'EENVELOPE',
    responseCode: 550,
  });
  await notify(recallId, () => Promise.reject(refused));
  const { rows } = await recalledVehicles(t.db, AGENT, recallId, { limit: 9 });
  expect(rows).toMatchObject([{ channel: 'none' }]);
});

test('a vehicle that is out is not extended, comes back, and then stands', async () => {
  const { rental } = await recalledRental();
  const dueAt = hoursFromNow(200);
  const later = desk.record(rental, { type: 'extend', dueAt });
  expect(await refusal(later)).toBe('vehicle-held');
  await desk.record(rental, backOf(rental));
  const back = await desk.read(rental.id);
  expect(back.status).toBe('returned');
  expect(await blocked(t, back.vehicleId ?? '', hoursFromNow(1), hoursFromNow(2))).not.toBeNull();
});
