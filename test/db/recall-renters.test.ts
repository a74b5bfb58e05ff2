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
import { type LetterDesk, letterDesk } from '../support/letter-desk.ts';
import { notice, open } from '../support/recalls.ts';
import { backOf, type RentalDesk, rentalDesk } from '../support/rental-desk.ts';

let t: TestDatabase;
let desk: RentalDesk;
let post: LetterDesk;
beforeAll(async () => {
  t = await testDatabase();
  desk = await rentalDesk(t);
  post = await letterDesk(t, desk);
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

function notify(recallId: string) {
  return createRecallActivities({ db: t.db }).notifyRenters({ recallId });
}

async function listed(recallId: string) {
  return (await recalledVehicles(t.db, AGENT, recallId, { limit: 9, onRent: true })).rows;
}

test('a renter gets one letter, and the list says who has the vehicle', async () => {
  const { rental, recallId } = await recalledRental();
  expect([await notify(recallId), await notify(recallId)]).toEqual([
    { notified: 1 },
    { notified: 0 },
  ]);
  await post.consume();
  expect(await listed(recallId)).toMatchObject([{ noticed_at: null, channel: 'mail' }]);
  await post.send();
  const letters = post.lettersOn(rental).filter((text) => text.includes('A recall of your rental'));
  expect(letters).toHaveLength(1);
  expect(letters[0]).toContain('Airbag inflator');
  const rows = await listed(recallId);
  expect(rows).toMatchObject([
    {
      vehicle_id: rental.vehicleId,
      rental_id: rental.id,
      rental_number: rental.number,
      due_at: rental.dueAt,
      channel: 'mail',
    },
  ]);
  expect(rows[0]?.noticed_at).toEqual((await post.rowOf(rental, 'recall'))?.sent_at);
  expect(await recallById(t.db, AGENT, recallId)).toMatchObject({ on_rent: 1, version: 2 });
  const { rows: facts } = await sql<{ event: string }>`select event::text from events.outbox
    where aggregate_id = ${recallId} order by seq`.execute(t.owner);
  expect(facts.map(({ event }) => JSON.parse(event).type)).toEqual([
    'forecourt.recall.opened.v1',
    'forecourt.recall.renter-notified.v1',
  ]);
  for (const secret of Object.values(PERSON)) expect(JSON.stringify(facts)).not.toContain(secret);
});

test('an address that is refused for good, or missing, leaves a call to make', async () => {
  const refused = await recalledRental();
  await notify(refused.recallId);
  await post.consume();
  post.mood.refuse = true;
  await post.send();
  expect(await listed(refused.recallId)).toMatchObject([{ channel: 'none', noticed_at: null }]);
  const missing = await recalledRental();
  await sql`update rentals.customer set email = null`.execute(t.owner);
  await notify(missing.recallId);
  await post.consume();
  expect(await post.rowOf(missing.rental, 'recall')).toBeUndefined();
  expect(await listed(missing.recallId)).toMatchObject([{ channel: 'none' }]);
  await post.restore();
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
