// What was told about a rental includes what its return did to the books.
import { beforeAll, expect, test } from 'vitest';
import { factsOfRental } from '../../db/queries/events.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { backOf, type RentalDesk, rentalDesk } from '../support/rental-desk.ts';
import { eventSetting, relayFor, waitFor } from './setting.ts';

let at: TestDatabase;
let desk: RentalDesk;
beforeAll(async () => {
  at = await testDatabase();
  desk = await rentalDesk(at);
});

test('the facts of a rental are its own by sequence, then its entry and its invoice', async () => {
  const { kafka } = await eventSetting(at.owner);
  const { id } = await desk.handedOut();
  const other = await desk.handedOut();
  for (const rental of [await desk.read(id), other]) await desk.record(rental, backOf(rental));
  await desk.record(await desk.read(id), { type: 'close' });
  const told = async () =>
    (await factsOfRental(at.db, id)).map(({ status, event }) => `${event.type} ${status}`);
  const all = (status: string) =>
    [
      ...['rental.reserved', 'rental.checked-out', 'rental.checked-in', 'rental.closed'],
      ...['entry.posted', 'invoice.issued'],
    ].map((fact) => `forecourt.${fact}.v1 ${status}`);
  expect(await told()).toEqual(all('pending'));
  const { relay } = relayFor(at.url, kafka);
  await waitFor('all to have left', async () =>
    (await told()).every((f) => f.endsWith('published')),
  );
  await relay.stop();
  expect(await told()).toEqual(all('published'));
});
