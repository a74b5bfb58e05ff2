// A cash drawer over HTTP: its shift from the float to the verified count, and what its tables refuse.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { guarded, tried } from '../support/broken-guards.ts';
import { type CashDesk, cashDesk, ofShift, taken } from '../support/cash-desk.ts';
import { AGENT } from '../support/fleet.ts';
import { cashGuards } from '../support/guarded-cash.ts';
import { plantStaff, tokenOf } from '../support/people.ts';

let api: TestApi;
let desk: CashDesk;
let branchId = '';
const post: CashDesk['post'] = (...call) => desk.post(...call);
const opened: CashDesk['opened'] = (...call) => desk.opened(...call);
const counted: CashDesk['counted'] = (...call) => desk.counted(...call);
const invoiced: CashDesk['invoiced'] = (...call) => desk.invoiced(...call);
const legs: CashDesk['legs'] = (...call) => desk.legs(...call);

beforeAll(async () => {
  api = await testApi();
  desk = await cashDesk(api);
  ({ branchId } = desk);
});

describe('a shift', () => {
  test('of another legal entity takes none of this one’s cash', async () => {
    const { owner } = api.database;
    await sql`insert into accounting.legal_entity (id, name, functional_currency, time_zone)
      values ('FC-XX', 'Elsewhere', 'EUR', 'UTC')`.execute(owner);
    const { rows } = await sql<{ id: string }>`insert into accounting.drawer_shift (id, entity_id,
        branch_id, drawer, currency, day, float_minor, opened_by)
      values (uuidv7(), 'FC-XX', ${branchId}, 'ABROAD', 'EUR', now(), 0, 'staff:a')
      returning id`.execute(owner);
    const cash = { tender: 'cash', shiftId: rows[0]?.id, amountMinor: 5_000 };
    const refused = await post(`/invoices/${await invoiced()}/payments`, cash);
    expectProblem(refused, 422, 'value-refused');
  });

  test('float 200, in 450.50, refunds 30, drop 300: counted 318.00 is 2.50 short', async () => {
    const id = await opened(20_000);
    const cash = { tender: 'cash', shiftId: id };
    const paid = await taken(
      post(`/invoices/${await invoiced(45_050)}/payments`, { ...cash, amountMinor: 45_050 }),
    );
    const back = { amountMinor: 3_000, reason: 'overcharged', shiftId: id };
    await taken(post(`/payments/${paid.id}/refunds`, back));
    await taken(post(`/drawer-shifts/${id}/drops`, { amountMinor: 30_000 }));

    expectProblem(await post(`/drawer-shifts/${id}/counting`), 428, 'precondition-required');
    await taken(post(`/drawer-shifts/${id}/counting`, undefined, { version: 1 }));
    const late = { ...cash, amountMinor: 1_000 };
    const frozen = await post(`/invoices/${await invoiced()}/payments`, late);
    expectProblem(frozen, 409, 'invalid-state');
    const blind = await taken(api.call('GET', `/api/v1/drawer-shifts/${id}`));
    expect([blind.expectedMinor, blind.differenceMinor, blind.moves]).toEqual([null, null, []]);
    const pieces = [
      { valueMinor: 10_000, pieces: 3 },
      { valueMinor: 500, pieces: 3 },
      { valueMinor: 100, pieces: 3 },
    ];
    const path = `/drawer-shifts/${id}/count`;
    const seen = await taken(post(path, { denominations: pieces }, { version: 2 }));
    expect(seen).toMatchObject({ state: 'counting', countedMinor: 31_800 });
    expect([seen.expectedMinor, seen.differenceMinor]).toEqual([32_050, -250]);
    const again = await post(path, { denominations: pieces }, { version: 3 });
    expectProblem(again, 409, 'invalid-state');

    const shut = await taken(post(`/drawer-shifts/${id}/close`, {}, { version: 3 }));
    expect([shut.state, shut.version]).toEqual(['closed', 4]);
    expect(await legs(ofShift(id))).toEqual([
      ...['cash.float 1000 20000', 'cash.float 1005 -20000'],
      ...['tender.received 1000 45050', 'tender.received 1200 -45050'],
      ...['tender.refunded 1200 3000', 'tender.refunded 1000 -3000'],
      ...['cash.drop 1005 30000', 'cash.drop 1000 -30000'],
      ...['cash.difference 1000 -250', 'cash.difference 5420 250'],
      ...['cash.handed-in 1005 31800', 'cash.handed-in 1000 -31800'],
    ]);
    const self = await post(`/drawer-shifts/${id}/verify`, undefined, { version: 4 });
    expectProblem(self, 403, 'four-eyes');
    const other = { version: 4, as: 'demo-verifier' };
    expect((await taken(post(`/drawer-shifts/${id}/verify`, undefined, other))).state).toBe(
      'verified',
    );
    const { rows } = await sql<{ seq: number; type: string }>`select seq, type from events.outbox
      where aggregate_id = ${id} order by seq`.execute(api.database.owner);
    expect(rows.map(({ seq, type }) => `${seq} ${type.split('.')[2]}`)).toEqual([
      '1 opened',
      '2 counting',
      '3 counted',
      '4 closed',
      '5 verified',
    ]);
  });

  test('two agents open one drawer: one of them does', async () => {
    const asked = { branchId, drawer: 'RACED', floatMinor: 100 };
    const both = await Promise.all([
      post('/drawer-shifts', asked),
      post('/drawer-shifts', asked, { as: 'demo-other' }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([201, 409]);
    const { rows } = await transact(api.database.db, 'api_read', AGENT, (tx) =>
      sql<{ drawer: string }>`select drawer from accounting.open_shifts(${branchId},
        (now() + interval '1 day')::date)`.execute(tx),
    );
    expect(rows).toContainEqual({ drawer: 'RACED' });
    const much = await post('/drawer-shifts', { ...asked, drawer: 'RICH', floatMinor: 9_000_000 });
    expectProblem(much, 422, 'amount-too-high');
    const far = await tokenOf(
      await plantStaff(api.database.owner, { roles: ['counter-agent'], branches: ['NONE'] }),
    );
    const options = { body: { ...asked, drawer: 'FAR' }, token: far };
    expectProblem(await api.call('POST', '/api/v1/drawer-shifts', options), 403, 'forbidden');
    const foreign = `/api/v1/drawer-shifts/${both.find(({ status }) => status === 201)?.body.id}`;
    expectProblem(await api.call('GET', foreign, { token: far }), 404, 'not-found');
  });

  test('a difference above 5.00 has a reason, above 50.00 a manager who did not count', async () => {
    const reason = { reason: 'a note was missing' };
    const small = await opened(10_000);
    await counted(small, 9_400);
    const close = (id: string, body: object, as?: string) =>
      post(`/drawer-shifts/${id}/close`, body, { version: 3, ...(as !== undefined && { as }) });
    expectProblem(await close(small, {}), 422, 'value-refused');
    expect((await taken(close(small, reason))).differenceMinor).toBe(-600);

    const large = await opened(10_000);
    await counted(large, 4_900);
    expectProblem(await close(large, reason), 403, 'four-eyes');
    const roles = ['counter-agent'] as const;
    const agent = await tokenOf(await plantStaff(api.database.owner, { roles }));
    const asAgent = { token: agent, body: reason, headers: { 'if-match': '"3"' } };
    const path = `/api/v1/drawer-shifts/${large}/close`;
    expectProblem(await api.call('POST', path, asAgent), 403, 'four-eyes');
    expect((await taken(close(large, reason, 'demo-manager'))).manager).toMatch(/^staff:/);
    expectProblem(await close(large, reason), 412, 'version-conflict');
  });

  test('slips of a terminal are counted by batch; nobody sees before what is booked', async () => {
    const shiftId = await opened();
    const card = { tender: 'card', shiftId, amountMinor: 2_000 };
    const path = `/invoices/${await invoiced()}/payments`;
    await taken(post(path, { ...card, terminalBatch: 'B-1' }));
    await taken(post(path, { ...card, terminalBatch: 'B-2' }));
    await taken(post(`/drawer-shifts/${shiftId}/counting`, undefined, { version: 1 }));
    const [first, none] = [
      { batch: 'B-1', slips: 1, amountMinor: 1_900 },
      { batch: 'B-2', slips: 0, amountMinor: 0 },
    ];
    const count = (...terminals: readonly object[]) =>
      post(`/drawer-shifts/${shiftId}/count`, { denominations: [], terminals }, { version: 2 });
    expectProblem(await count(first), 422, 'value-refused');
    await taken(count(first, none));
    const { terminals: seen } = await taken(api.call('GET', `/api/v1/drawer-shifts/${shiftId}`));
    expect(seen).toEqual([
      { batch: 'B-1', slips: 1, amountMinor: 1_900, bookedSlips: 1, bookedMinor: 2_000 },
      { batch: 'B-2', slips: 0, amountMinor: 0, bookedSlips: 1, bookedMinor: 2_000 },
    ]);
    expectProblem(await post(path, { ...card, terminalBatch: 'B-2' }), 409, 'invalid-state');
  });

  test('a bag is in transit until somebody else matches it with the statement', async () => {
    const asked = { branchId, direction: 'to-bank', amountMinor: 1_000, bag: 'BAG-7' };
    const sent = await taken(post('/cash-in-transit', asked));
    expectProblem(await post('/cash-in-transit', asked), 409, 'duplicate');
    const match = (as?: string) =>
      post(
        `/cash-in-transit/${sent.id}/match`,
        { statement: 'ST-1' },
        { version: 1, ...(as !== undefined && { as }) },
      );
    expectProblem(await match(), 403, 'four-eyes');
    expect((await taken(match('demo-accountant'))).state).toBe('matched');
    expect(await legs(sql`e.idempotency_key like ${`cash-in-transit/${sent.id}/%`}`)).toEqual([
      ...['cash.sent 1006 1000', 'cash.sent 1005 -1000'],
      ...['cash.matched 1010 1000', 'cash.matched 1006 -1000'],
    ]);
  });
});

test('terms of cash are an entity’s, with their version', async () => {
  const path = '/api/v1/legal-entities/FC-AT/cash-terms';
  const { entityId: _, version, ...terms } = await taken(api.call('GET', path));
  const put = (known: number) =>
    api.call('PUT', path, { body: terms, headers: { 'if-match': `"${known}"` } });
  expect((await taken(put(version))).version).toBe(version + 1);
  expectProblem(await put(version), 412, 'version-conflict');
});

test('each guard of the tables refuses, and once it is gone nothing else does', async () => {
  const [openId, closedId] = [await opened(1_000), await opened()];
  await taken(post(`/drawer-shifts/${openId}/drops`, { amountMinor: 500 }));
  const invoiceId = await invoiced();
  const cash = { tender: 'cash', shiftId: openId, amountMinor: 12_000 };
  const { id: paymentId } = await taken(post(`/invoices/${invoiceId}/payments`, cash));
  await counted(closedId, 0);
  await taken(post(`/drawer-shifts/${closedId}/close`, {}, { version: 3 }));
  const bag = { branchId, direction: 'to-bank', amountMinor: 100, bag: 'BAG-8' };
  const { id: transitId } = await taken(post('/cash-in-transit', bag));
  const cases = cashGuards({ openId, closedId, invoiceId, paymentId, transitId });
  const found = await tried(api.database.owner, async (tx) => {
    await sql`select set_config('app.principal', ${AGENT}, true),
      set_config('app.scope', '*', true)`.execute(tx);
    const said: (readonly string[])[] = [];
    for (const [guard, attempt, without] of cases) {
      const gone = without.startsWith('INDEX ')
        ? `drop index accounting.${without.slice(6)}`
        : `alter table accounting.${without}`;
      said.push([guard, ...(await guarded(tx, () => attempt.execute(tx), sql.raw(gone)))]);
    }
    return said;
  });
  expect(found).toEqual(cases.map(([guard]) => [guard, guard, 'accepted']));
});
