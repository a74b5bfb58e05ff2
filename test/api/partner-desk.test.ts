// Bookings of partners whose rental is there: what a repeat mends, and what no partner is told.
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { echoing } from '../../api/partner-desk.ts';
import { NewPartnerBooking } from '../../api/schemas/partner-bookings.ts';
import { noteFlight } from '../../db/commands/flights.ts';
import { openBooking } from '../../db/commands/partner-bookings.ts';
import { setPayers } from '../../db/commands/payer-shares.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { DomainError } from '../../domain/errors.ts';
import type { PayerShare } from '../../domain/payer-share.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { AGENT, CLASS, hoursFromNow, plantFleet, plantTrade } from '../support/fleet.ts';
import { clientToken, plantPartner } from '../support/people.ts';
import { companyOf } from '../support/rental-money.ts';

const PATH = '/api/v1/partner/bookings';
const TERM = { pickUpAt: hoursFromNow(10), dueAt: hoursFromNow(130) };

let api: TestApi;
let branchId: string;
let payerId: string;
let partnerId: string;
let token: string;

/** Nothing answers behind it: a message to a workflow is 503. */
beforeAll(async () => {
  api = await testApi({ deps: { commandTimeoutMs: 300 } });
  const { db, owner } = api.database;
  await plantTrade(db);
  ({ branchId } = await plantFleet(db, { vehicles: 5 }));
  payerId = await companyOf(owner, null);
  const planted = await plantPartner(owner);
  ({ partnerId } = planted);
  const terms = { status: 'active', payer_id: payerId } as const;
  await owner.updateTable('people.partner').set(terms).where('id', '=', partnerId).execute();
  token = await clientToken(planted);
});

const book = (body: object) => api.call('POST', PATH, { body, token });

/** Its rental is there, and nothing else of what was to come with it. */
async function halfBooked(more: object = {}, voucher?: object) {
  const { db } = api.database;
  const externalReference = `BK-${uuidv7()}`;
  const place = { branchId, classId: CLASS, ...TERM };
  const body = { externalReference, customer: { name: 'Guest' }, ...place, ...more };
  const { externalReference: _, customer, ...wanted } = NewPartnerBooking.parse(body);
  const asked = { partnerId, externalReference, customer, wanted, voucher: voucher as undefined };
  const row = await openBooking(db, AGENT, asked);
  const rental = { id: row.rental_id, customerId: row.customer_id, channel: 'partner' } as const;
  await reserveRental(db, AGENT, { ...rental, ...place });
  return { body, id: row.rental_id, customerId: row.customer_id };
}

test('a delay that was lost after its flight is told again by a repeat', async () => {
  const { db } = api.database;
  const late = await halfBooked({ flight: { number: 'OS123', delayMinutes: 90 } });
  await noteFlight(db, AGENT, late.id, 'OS123');
  expectProblem(await book(late.body), 503, 'service-unavailable');
  // Another flight that somebody told since stands.
  await noteFlight(db, AGENT, late.id, 'OS124');
  expect((await book(late.body)).status).toBe(201);
  const punctual = await halfBooked({ flight: { number: 'OS123' } });
  expect((await book(punctual.body)).status).toBe(201);
});

test('a booking that lost its voucher is not told as made', async () => {
  const terms = { rate: 'broker', voucher: {} };
  const { body } = await halfBooked(terms, { rate: 'broker', covers: ['time'] });
  expectProblem(await book(body), 503, 'service-unavailable');
  expectProblem(await book(body), 503, 'service-unavailable');
});

test('another’s voucher is not shown, nor is anybody’s credit', async () => {
  const { db, owner } = api.database;
  const { body, id: rentalId, customerId } = await halfBooked();
  const none = { covers: [], percentBp: 0, voucherNetMinor: null, isPrimary: false } as const;
  const renter = { ...none, kind: 'renter', payerId: customerId, isPrimary: true } as const;
  const voucher = (of: string, voucherNetMinor: number, covers: string): PayerShare => ({
    ...{ ...none, kind: 'voucher', payerId: of },
    ...{ voucherNetMinor, covers: [covers] },
  });
  const read = async () =>
    (await api.call('GET', `${PATH}/${body.externalReference}`, { token })).body.voucher;
  const theirs = voucher(await companyOf(owner, null), 77_00, 'time');
  await setPayers(db, AGENT, { rentalId, shares: [renter, theirs] }, null);
  expect(await read()).toBeNull();
  const own = voucher(payerId, 88_00, 'time');
  await setPayers(db, AGENT, { rentalId, shares: [renter, own] }, 1);
  expect(await read()).toMatchObject({ netMinor: 88_00 });

  const figures = { limitMinor: 1, exposureMinor: 2, owedMinor: 3, currency: 'EUR' };
  const refused = echoing('BK-1', async () => {
    throw new DomainError('credit-limit', 'Too much.', figures);
  });
  await expect(refused).rejects.toMatchObject({
    slug: 'credit-limit',
    more: { externalReference: 'BK-1' },
  });
  await expect(refused).rejects.not.toHaveProperty('more.limitMinor');
});
