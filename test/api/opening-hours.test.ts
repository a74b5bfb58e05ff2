// Opening hours over HTTP, and what they mean for quotes, reservations and extensions.
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import type { NewOpeningHours } from '../../db/commands/opening-hours.ts';
import { recordCommand } from '../../db/commands/rentals.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { type ApiAnswer, expectProblem, type TestApi, testApi } from '../support/api.ts';
import { CLASS, plantFleet, plantTrade } from '../support/fleet.ts';
import { plantStaff, tokenOf } from '../support/people.ts';

let api: TestApi;
let customerId: string;
beforeAll(async () => {
  api = await testApi();
  ({ customerId } = await plantTrade(api.database.db));
});

const WEEK = [1, 2, 3, 4, 5].map((weekday) => ({ weekday, opens: '08:00', closes: '18:00' }));
const FEE = { feeMinor: 2_500, currency: 'EUR' };
const NOTHING: NewOpeningHours = { weekly: WEEK, keyDrop: false, outOfHours: null };
const SYSTEM = 'system:test';

/** A Monday at least two weeks ahead, at that local hour of Vienna in winter or summer. */
function monday(hour: number, days = 0): string {
  const ahead = new Date(Date.now() + 14 * 86_400_000);
  const day = 8 - (ahead.getUTCDay() === 0 ? 7 : ahead.getUTCDay());
  const date = new Date(ahead.getTime() + (day + days) * 86_400_000).toISOString().slice(0, 10);
  const local = new Intl.DateTimeFormat('en', {
    timeZone: 'Europe/Vienna',
    timeZoneName: 'longOffset',
  });
  const offset = local
    .formatToParts(new Date(`${date}T12:00Z`))
    .find((p) => p.type === 'timeZoneName');
  return new Date(
    `${date}T${String(hour).padStart(2, '0')}:00${offset?.value.replace('GMT', '')}`,
  ).toISOString();
}

async function declared(hours: NewOpeningHours, vehicles = 3): Promise<string> {
  const { branchId } = await plantFleet(api.database.db, { vehicles });
  const answer = await put(branchId, '', hours, 1);
  expect([answer.status, answer.body.type]).toEqual([200, undefined]);
  return branchId;
}

function put(branchId: string, path: string, body: object, version: number): Promise<ApiAnswer> {
  const headers = { 'if-match': `"${version}"` };
  return api.call('PUT', `/api/v1/branches/${branchId}/opening-hours${path}`, { body, headers });
}

function booking(branchId: string, pickUpAt: string, dueAt: string) {
  return { branchId, classId: CLASS, pickUpAt, dueAt };
}

function reserve(branchId: string, pickUpAt: string, dueAt: string) {
  const request = { id: uuidv7(), customerId, ...booking(branchId, pickUpAt, dueAt) };
  return reserveRental(api.database.db, SYSTEM, request);
}

function quoteOf(branchId: string, pickUpAt: string, dueAt: string): Promise<ApiAnswer> {
  return api.call('POST', '/api/v1/quotes', { body: booking(branchId, pickUpAt, dueAt) });
}

const codes = (price: { readonly lines: readonly { readonly code: string }[] }) =>
  price.lines.map(({ code }) => code);

describe("a branch's hours", () => {
  test('are replaced by the version of the branch and shown by local date', async () => {
    const branchId = await declared({ ...NOTHING, keyDrop: true, outOfHours: FEE });
    const stale = await put(branchId, '', NOTHING, 1);
    expectProblem(stale, 412, 'version-conflict');
    const at = `/api/v1/branches/${branchId}/opening-hours`;
    expectProblem(await api.call('PUT', at, { body: NOTHING }), 428, 'precondition-required');
    const read = await api.call('GET', `${at}?from=2027-03-26&to=2027-03-29`);
    expect(read.headers.get('etag')).toBe('"2"');
    expect(read.body).toMatchObject({ weekly: WEEK, keyDrop: true, outOfHours: FEE, version: 2 });
    const local = { opens: '08:00', closes: '18:00' };
    // The clocks change on the 28th: the same local hours are other instants.
    expect(read.body.days).toEqual([
      {
        date: '2027-03-26',
        periods: [local],
        open: [{ from: '2027-03-26T07:00:00.000Z', to: '2027-03-26T17:00:00.000Z' }],
        reason: null,
      },
      { date: '2027-03-27', periods: [], open: [], reason: null },
      { date: '2027-03-28', periods: [], open: [], reason: null },
      {
        date: '2027-03-29',
        periods: [local],
        open: [{ from: '2027-03-29T06:00:00.000Z', to: '2027-03-29T16:00:00.000Z' }],
        reason: null,
      },
    ]);
  });

  test('have exceptions, which win over the week until they are withdrawn', async () => {
    const branchId = await declared(NOTHING);
    const path = '/exceptions/2027-12-24';
    const eve = { periods: [{ opens: '08:00', closes: '12:00' }], reason: 'Christmas Eve' };
    const set = await put(branchId, path, eve, 2);
    expect(set.body.days[0]).toMatchObject({ date: '2027-12-24', ...eve });
    const withdrawn = await api.call(
      'DELETE',
      `/api/v1/branches/${branchId}/opening-hours${path}`,
      {
        headers: { 'if-match': '"3"' },
      },
    );
    expect(withdrawn.body.days[0]).toMatchObject({ periods: [{ closes: '18:00' }], reason: null });
    const again = await api.call('DELETE', `/api/v1/branches/${branchId}/opening-hours${path}`, {
      headers: { 'if-match': '"4"' },
    });
    expectProblem(again, 404, 'not-found');
  });

  test.each([
    ['a minute that does not exist', { weekly: [{ weekday: 1, opens: '08:60', closes: '18:00' }] }],
    ['an eighth day', { weekly: [{ weekday: 8, opens: '08:00', closes: '18:00' }] }],
    ['a period of no time', { weekly: [{ weekday: 1, opens: '08:00', closes: '08:00' }] }],
    ['a fee below zero', { outOfHours: { feeMinor: -1, currency: 'EUR' } }],
  ])('refuse %s', async (_what, over) => {
    const { branchId } = await plantFleet(api.database.db, { vehicles: 0 });
    const answer = await put(branchId, '', { ...NOTHING, ...over }, 1);
    expectProblem(answer, 422, 'validation-failed');
  });

  test("are changed by the branch's own manager only", async () => {
    const branchId = await declared(NOTHING);
    const other = await plantStaff(api.database.owner, {
      roles: ['branch-manager'],
      branches: ['ZZZ'],
    });
    const answer = await api.call('PUT', `/api/v1/branches/${branchId}/opening-hours`, {
      body: NOTHING,
      headers: { 'if-match': '"2"' },
      token: await tokenOf(other),
    });
    expectProblem(answer, 403, 'forbidden');
  });
});

describe('a rental', () => {
  test('of a branch that declared nothing begins and ends at any hour', async () => {
    const { branchId } = await plantFleet(api.database.db, { vehicles: 1 });
    const rental = await reserve(branchId, monday(3), monday(3, 1));
    expect(codes(rental.price)).toEqual(['time.day']);
  });

  test('outside the hours is refused, and told when the branch opens', async () => {
    const branchId = await declared(NOTHING);
    const early = await quoteOf(branchId, monday(7), monday(9, 1));
    expectProblem(early, 422, 'branch-closed');
    expect(early.body).toMatchObject({ handover: 'pick-up', nextOpening: monday(8) });
    const late = await quoteOf(branchId, monday(9), monday(19));
    expect(late.body).toMatchObject({ handover: 'return', nextOpening: monday(8, 1) });
    for (const [from, to] of [
      [monday(7), monday(9, 1)],
      [monday(9), monday(19)],
    ] as const) {
      await expect(reserve(branchId, from, to)).rejects.toMatchObject({ code: 'branch-closed' });
    }
  });

  test('pays the fee of each handover outside the hours, taxed like the hire', async () => {
    const branchId = await declared({ ...NOTHING, keyDrop: true, outOfHours: FEE });
    const rental = await reserve(branchId, monday(7), monday(19, 1));
    const quoted = await quoteOf(branchId, monday(7), monday(19, 1));
    expect(quoted.body.price).toEqual(rental.price);
    expect(codes(rental.price)).toEqual([
      'time.day',
      'fee.out-of-hours-pick-up',
      'fee.out-of-hours-return',
    ]);
    // 2 days at 50.00 and twice 25.00, 20 % VAT on the sum.
    expect(rental.price).toMatchObject({ netMinor: 15_000, vatMinor: 3_000, totalMinor: 18_000 });
    const inHours = await reserve(branchId, monday(9), monday(9, 1));
    expect(codes(inHours.price)).toEqual(['time.day']);
  });

  test('that is extended pays for its new return, and still for its pick-up', async () => {
    const branchId = await declared({ ...NOTHING, keyDrop: true, outOfHours: FEE });
    const rental = await reserve(branchId, monday(7), monday(9, 1));
    expect(codes(rental.price)).toEqual(['time.day', 'fee.out-of-hours-pick-up']);
    const outcome = await recordCommand(api.database.db, SYSTEM, {
      commandId: uuidv7(),
      rentalId: rental.id,
      version: 1,
      command: { type: 'extend', dueAt: monday(19, 1) },
    });
    expect(outcome.type === 'extended' && codes(outcome.price)).toEqual([
      'time.day',
      'fee.out-of-hours-pick-up',
      'fee.out-of-hours-return',
    ]);
  });

  test('is no no-show before an hour after the branch opens', async () => {
    const branchId = await declared(NOTHING);
    const rental = await reserve(branchId, monday(17), monday(9, 2));
    expect(rental.noShowAt).toBe(monday(9, 1));
  });

  test('stays where it is when the hours change, and is listed', async () => {
    const branchId = await declared({ ...NOTHING, keyDrop: true, outOfHours: FEE });
    const rental = await reserve(branchId, monday(7), monday(9, 1));
    const settled = await api.call('GET', `/api/v1/branches/${branchId}/affected-rentals`);
    expect(settled.body.items).toEqual([]);
    const dearer = { ...NOTHING, keyDrop: true, outOfHours: { feeMinor: 3_000, currency: 'EUR' } };
    await put(branchId, '', dearer, 2);
    const { pickUpAt, id: rentalId, number } = rental;
    const found = { rentalId, number, handover: 'pick-up', at: pickUpAt };
    const list = () => api.call('GET', `/api/v1/branches/${branchId}/affected-rentals`);
    expect((await list()).body.items).toEqual([{ ...found, problem: 'fee', nextOpening: null }]);
    await put(branchId, '', NOTHING, 3);
    expect((await list()).body.items).toEqual([
      { ...found, problem: 'closed', nextOpening: monday(8) },
    ]);
    const kept = await api.call('GET', `/api/v1/rentals/${rentalId}`);
    expect(kept.body).toMatchObject({ pickUpAt, version: 1 });
  });

  test('are listed anew when the branch gets another time zone, and stay as they are', async () => {
    const branchId = await declared(NOTHING);
    const rental = await reserve(branchId, monday(9), monday(17));
    const moved = await api.call('PATCH', `/api/v1/branches/${branchId}`, {
      body: { timeZone: 'America/New_York' },
      headers: { 'if-match': '"2"' },
    });
    expect([moved.status, moved.body.timeZone]).toEqual([200, 'America/New_York']);
    const { body } = await api.call('GET', `/api/v1/branches/${branchId}/affected-rentals`);
    expect(body.items).toMatchObject([
      { rentalId: rental.id, number: rental.number, handover: 'pick-up', problem: 'closed' },
    ]);
    const kept = await api.call('GET', `/api/v1/rentals/${rental.id}`);
    expect(kept.body).toMatchObject({ pickUpAt: rental.pickUpAt, dueAt: rental.dueAt, version: 1 });
  });
});
