// Rate plans and what is quoted by them, over HTTP.
import { beforeAll, describe, expect, test } from 'vitest';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { instantAt } from '../../domain/calendar.ts';
import { GOLD_1, type RatePlan } from '../../domain/rate-plan.ts';
import { type TestApi, testApi } from '../support/api.ts';
import { CLASS, plantFleet } from '../support/fleet.ts';
import { customerPerson, tokenOf } from '../support/people.ts';

const FRIDAY = 5;

/** From noon to noon in Vienna, the first one of the month after next: no clock changes then. */
function weekendAfter(now: Date) {
  const month = [now.getUTCFullYear(), now.getUTCMonth() + 2] as const;
  const friday = 1 + ((FRIDAY - new Date(Date.UTC(...month, 1)).getUTCDay() + 7) % 7);
  const noon = (day: number) => {
    const date = new Date(Date.UTC(...month, day)).toISOString().slice(0, 10);
    return instantAt(`${date}T12:00`, 'Europe/Vienna', 'first');
  };
  return { pickUpAt: noon(friday), dueAt: noon(friday + 3) };
}

const TIMES = weekendAfter(new Date());
const PLANS = '/api/v1/rate-plans';

let api: TestApi;
let branchId: string;
let elsewhere: string;
beforeAll(async () => {
  api = await testApi();
  ({ branchId } = await plantFleet(api.database.db, { vehicles: 0 }));
  ({ branchId: elsewhere } = await plantFleet(api.database.db, { vehicles: 0 }));
  await publishRatePlan(api.database.db, 'system:test', GOLD_1, '2020-01-01T00:00:00.000Z');
});

const post = (terms: object, more: object = {}) =>
  api.call('POST', PLANS, { body: { terms, ...more } });
const quoted = (more: object, at = branchId) =>
  api.call('POST', '/api/v1/quotes', {
    body: { branchId: at, classId: CLASS, ...TIMES, ...more },
    key: false,
  });

/** A plan of its own for one branch, which nothing else is priced by. */
const own = (id: string, more: Partial<RatePlan> = {}): RatePlan => ({
  ...GOLD_1,
  id,
  branches: [elsewhere],
  ...more,
});

describe('a rate plan', () => {
  test('is published version by version, and read as it was published', async () => {
    const validFrom = '2099-01-01T00:00:00.000Z';
    const first = await post(own('LATER'), { validFrom });
    expect([first.status, first.headers.get('location')]).toEqual([
      201,
      `${PLANS}/LATER/versions/1`,
    ]);
    expect(first.body).toEqual({ id: 'LATER', version: 1, validFrom, terms: own('LATER') });
    expect((await post(own('LATER', { version: 2 }), { validFrom })).status).toBe(201);
    const list = await api.call('GET', `${PLANS}?planId=LATER&limit=1`);
    expect(list.body.items).toEqual([first.body]);
    const next = await api.call('GET', `${PLANS}?planId=LATER&cursor=${list.body.nextCursor}`);
    expect(next.body.items.map((item: { version: number }) => item.version)).toEqual([2]);
    expect((await api.call('GET', `${PLANS}/LATER/versions/1`)).body).toEqual(first.body);
    expect((await api.call('GET', `${PLANS}/LATER/versions/3`)).status).toBe(404);
  });

  test('is the same when it is published again, and a duplicate with other terms', async () => {
    const validFrom = '2099-01-01T00:00:00.000Z';
    const one = await post(own('TWICE'), { validFrom });
    expect((await post(own('TWICE'), { validFrom })).body).toEqual(one.body);
    const other = await post(own('TWICE', { hourMinor: 1 }), { validFrom });
    expect([other.status, other.body.type]).toEqual([409, '/problems/duplicate']);
  });

  test('follows the version before it, says the database', async () => {
    const answer = await post(own('GAP', { version: 2 }));
    expect([answer.status, answer.body]).toMatchObject([422, { constraint: 'rate_plan_follows' }]);
  });

  test('with problems is refused with all of them, by field', async () => {
    const seasons = [{ code: 'x', from: '2027-02-01', to: '2027-01-01' }];
    const answer = await post(own('BAD', { hourMinor: -1, seasons }));
    expect([answer.status, answer.body]).toMatchObject([
      422,
      {
        type: '/problems/rate-plan-invalid',
        problems: [{ path: 'hourMinor' }, { path: 'seasons[0].to' }],
      },
    ]);
    expect((await post({ ...own('BAD'), colour: 'red' })).status).toBe(422);
  });
});

describe('a quote', () => {
  test('prices all that is taken, line by line, on the local clock of the branch', async () => {
    const { body } = await quoted({
      extras: [{ code: 'item', count: 1 }],
      coverages: ['cdw'],
      driverAges: [41, 22],
      surcharges: ['lf'],
      returnBranchId: elsewhere,
      distance: 700,
    });
    // Weekend 120, CDW 36, item 24, one young driver 75, one-way 75, 100 km 25; LF 11.11 % of 145.
    expect(body.price).toMatchObject({ netMinor: 371_11, vatMinor: 74_22, totalMinor: 445_33 });
    expect(body.price.lines.map((line: { code: string }) => line.code)).toEqual([
      'time.weekend',
      'coverage.cdw',
      'extra.item',
      'driver.young',
      'one-way',
      'mileage.over',
      'percentage.lf',
    ]);
    expect(body.price.duration).toMatchObject({ wholeDays: 3, chargedDays: 3, extrasDays: 3 });
    expect(JSON.stringify(body)).not.toContain('22]');
  });

  test('names what the plan does not offer', async () => {
    const answer = await quoted({ coverages: ['none'] });
    expect([answer.status, answer.body]).toMatchObject([
      422,
      { type: '/problems/value-refused', field: 'coverages', code: 'none' },
    ]);
  });

  test('goes by the plan that names its branch, before the newest of all', async () => {
    const lines = [{ code: 'day', priceMinor: 10_00, coversDays: 1 }] as const;
    await post(own('HERE', { lines, weekend: undefined }));
    expect((await quoted({}, elsewhere)).body.price).toMatchObject({
      planId: 'HERE',
      netMinor: 30_00,
    });
    expect((await quoted({})).body.price).toMatchObject({ planId: 'GOLD-1', netMinor: 120_00 });
  });

  test('by a negotiated rate is for staff', async () => {
    const token = await tokenOf(await customerPerson(api.database.owner, await customerId()));
    const body = { branchId, classId: CLASS, ...TIMES, rate: 'acme' };
    const answer = await api.call('POST', '/api/v1/quotes', { body, key: false, token });
    expect([answer.status, answer.body.type]).toEqual([403, '/problems/forbidden']);
  });
});

async function customerId(): Promise<string> {
  return (await api.call('POST', '/api/v1/customers', { body: { name: 'Customer' } })).body.id;
}
