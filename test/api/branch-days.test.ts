// A branch's day over HTTP: closed in order with its figures, refused, opened again by two people; and
// the deposits that a closed rental leaves behind.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { recordCommand } from '../../db/commands/rentals.ts';
import { reserveRental } from '../../db/commands/reservations.ts';
import { type ApiAnswer, expectProblem, type TestApi, testApi } from '../support/api.ts';
import { guarded, tried } from '../support/broken-guards.ts';
import { type CashDesk, cashDesk, figuresAfter, taken } from '../support/cash-desk.ts';
import { AGENT, CLASS, hoursFromNow, plantFleet } from '../support/fleet.ts';
import type { GuardCase } from '../support/guarded-cash.ts';
import { dayGuards } from '../support/guarded-days.ts';
import { plantStaff, tokenOf } from '../support/people.ts';
import { someoneWaits } from '../support/waiting.ts';

let api: TestApi;
let desk: CashDesk;
let branchId = '';
/** Of the branch's clocks now, and the day before. */
let [today, yesterday] = ['', ''];
const post: CashDesk['post'] = (...call) => desk.post(...call);

beforeAll(async () => {
  api = await testApi();
  desk = await cashDesk(api);
  ({ branchId } = desk);
  const { rows } = await sql<{ today: string; yesterday: string }>`select
      (now() at time zone vehicles.zone_of(${branchId}))::date as today,
      (now() at time zone vehicles.zone_of(${branchId}))::date - 1 as yesterday`.execute(
    api.database.owner,
  );
  [{ today, yesterday } = { today: '', yesterday: '' }] = rows;
});

const close = (day = today, key: string = randomUUID()) =>
  post('/branch-days', { branchId, day }, { key });

/** One day's work: 200.00 of change, 120.00 in cash, a slip of 70.00, 30.00 back, 0.50 short. */
async function worked(): Promise<string> {
  const id = await desk.opened(20_000);
  const cash = { tender: 'cash', shiftId: id };
  const paid = await taken(
    post(`/invoices/${await desk.invoiced()}/payments`, { ...cash, amountMinor: 12_000 }),
  );
  const back = { amountMinor: 3_000, reason: 'overcharged', shiftId: id };
  await taken(post(`/payments/${paid.id}/refunds`, back));
  const path = `/invoices/${await desk.invoiced()}/payments`;
  const slip = { tender: 'card', shiftId: id, terminalBatch: 'B-1', amountMinor: 7_000 };
  await taken(post(path, slip));
  await taken(post(path, { tender: 'bank-transfer', amountMinor: 5_000 }));
  await taken(post(`/drawer-shifts/${id}/drops`, { amountMinor: 10_000 }));
  return id;
}

test('is closed with what was done in it once each shift of it is verified, and is over then', async () => {
  const id = await worked();
  const refused = await close();
  expectProblem(refused, 409, 'day-not-finished');
  const open = { shiftId: id, drawer: 'D-1', day: today, state: 'open', batch: null };
  expect(refused.body.unfinished).toEqual([open]);
  const denominations = [{ valueMinor: 50, pieces: 379 }];
  const batches = [{ batch: 'B-1', slips: 1, amountMinor: 7_000 }];
  await taken(post(`/drawer-shifts/${id}/counting`, undefined, { version: 1 }));
  const blind = await post(`/drawer-shifts/${id}/count`, { denominations }, { version: 2 });
  expectProblem(blind, 422, 'value-refused');
  expect(blind.body.batches).toEqual([{ batch: 'B-1' }]);
  const count = { denominations, terminals: batches };
  await taken(post(`/drawer-shifts/${id}/count`, count, { version: 2 }));
  await taken(post(`/drawer-shifts/${id}/close`, {}, { version: 3 }));
  expect((await close()).body.unfinished).toEqual([{ ...open, state: 'closed' }]);
  await taken(post(`/drawer-shifts/${id}/verify`, undefined, { version: 4, as: 'demo-verifier' }));

  expectProblem(await close('2099-01-01'), 422, 'value-refused');
  const key = randomUUID();
  const closed = await taken(close(today, key));
  expect(closed).toMatchObject({ state: 'closed', day: today, branchId, version: 1 });
  expect(closed.figures).toEqual({
    currency: 'EUR',
    tenders: [
      { tender: 'bank-transfer', inMinor: 5_000, outMinor: 0 },
      { tender: 'card', inMinor: 7_000, outMinor: 0 },
      { tender: 'cash', inMinor: 12_000, outMinor: 3_000 },
    ],
    ...{ floatsMinor: 20_000, dropsMinor: 10_000, overShortMinor: -50, handedInMinor: 18_950 },
    ...{ toBankMinor: 0, fromBankMinor: 100_000, safeMinor: 108_950 },
    batches: [{ batch: 'B-1', slips: 1, amountMinor: 7_000, bookedSlips: 1, bookedMinor: 7_000 }],
    documents: [{ kind: 380, count: 2, totalMinor: 24_000 }],
    ...{ rentalsOut: 0, rentalsIn: 0 },
  });
  expect(await taken(close(today, key))).toEqual(closed);
  expectProblem(await close(), 409, 'duplicate');
  expectProblem(await close(yesterday), 409, 'duplicate');
  const { body: counter } = await api.call('GET', `/api/v1/counter/today?branchId=${branchId}`);
  expect([counter.lastClosedDay, counter.date]).toEqual([today, today]);
});

test('that is over takes no shift; what is transferred after it is of the next one', async () => {
  const shift = { branchId, drawer: 'LATE', floatMinor: 0 };
  expectProblem(await post('/drawer-shifts', shift), 409, 'day-closed');
  const path = `/invoices/${await desk.invoiced()}/payments`;
  const { id } = await taken(post(path, { tender: 'bank-transfer', amountMinor: 4_000 }));
  const { rows } = await sql<{ days: number }>`select day - ${today}::date as days
    from accounting.payment where id = ${id}`.execute(api.database.owner);
  expect(rows).toEqual([{ days: 1 }]);
});

test('is opened again by two people, the last one alone, and closed anew', async () => {
  const [day] = (await taken(api.call('GET', `/api/v1/branch-days?branchId=${branchId}`))).items;
  const about = { kind: 'day-reopen', subjectType: 'branch-day', subjectId: day.id, branchId };
  const asked = { ...about, amount: 0, reason: 'a late tour' };
  const { id: approvalId } = await taken(post('/approvals', asked));
  const reopen = (version = 1) =>
    post(`/branch-days/${day.id}/reopen`, { approvalId, reason: 'a late tour' }, { version });
  expectProblem(await reopen(), 403, 'four-eyes');
  await taken(post(`/approvals/${approvalId}/approve`, undefined, { as: 'demo-manager' }));
  expectProblem(await reopen(2), 412, 'version-conflict');
  expect(await taken(reopen())).toMatchObject({ state: 'open', version: 2 });
  expectProblem(await reopen(2), 403, 'four-eyes');
  const id = await desk.opened();
  await desk.counted(id, 0);
  await taken(post(`/drawer-shifts/${id}/close`, {}, { version: 3 }));
  await taken(post(`/drawer-shifts/${id}/verify`, undefined, { version: 4, as: 'demo-verifier' }));
  expect(await taken(close())).toMatchObject({ id: day.id, state: 'closed', version: 3 });
  const { rows } = await sql<{ type: string }>`select type from events.outbox
    where aggregate_id = ${day.id} order by seq`.execute(api.database.owner);
  expect(rows.map(({ type }) => type.split('.')[2])).toEqual(['closed', 'reopened', 'closed']);
  await desk.invoiced();
  const figures = await figuresAfter(api.database.db, branchId, today);
  expect(figures.documents).toEqual([{ kind: 380, count: 1, totalMinor: 12_000 }]);
});

test('days follow each other; other branches neither see nor close them', async () => {
  const { branchId: other } = await plantFleet(api.database.db, { vehicles: 0 });
  const closing = (day: string) => post('/branch-days', { branchId: other, day });
  const { rows } = await sql<{ before: string }>`select ${today}::date - 2 as before`.execute(
    api.database.owner,
  );
  const before = rows[0]?.before ?? '';
  const first = await taken(closing(before));
  const skipped = await closing(today);
  expectProblem(skipped, 409, 'invalid-state');
  expect(skipped.body.next).toBe(yesterday);
  const both = await Promise.all([closing(yesterday), closing(yesterday)]);
  expect(both.map(({ status }) => status).toSorted()).toEqual([201, 409]);
  const there = { roles: ['branch-manager'], branches: [branchId] } as const;
  const token = await tokenOf(await plantStaff(api.database.owner, there));
  const path = `/api/v1/branch-days/${first.id}`;
  expectProblem(await api.call('GET', path, { token }), 404, 'not-found');
  const body = { branchId: other, day: today };
  expectProblem(await api.call('POST', '/api/v1/branch-days', { token, body }), 403, 'forbidden');
});

test('who opens a shift and who closes the day wait for each other, and the second is refused', async () => {
  const { db, owner } = api.database;
  const { branchId: raced } = await plantFleet(db, { vehicles: 0 });
  const meanwhile = async (first: ReturnType<typeof sql>, second: () => Promise<ApiAnswer>) => {
    const { answer } = await owner.transaction().execute(async (tx) => {
      await sql`select set_config('app.principal', ${AGENT}, true),
        set_config('app.scope', '*', true)`.execute(tx);
      await first.execute(tx);
      const waiting = second();
      await someoneWaits(owner);
      return { answer: waiting };
    });
    return answer;
  };
  const day = sql`insert into accounting.branch_day (id, entity_id, branch_id, day, state, figures,
      command_id) values (uuidv7(), 'FC-AT', ${raced}, ${yesterday}, 'closed', '{}', uuidv7())`;
  const late = () => post('/drawer-shifts', { branchId: raced, drawer: 'A', floatMinor: 0 });
  expect((await meanwhile(day, late)).status).toBe(201);
  const shift = sql`insert into accounting.drawer_shift (id, entity_id, branch_id, drawer, currency,
      day, float_minor) values (uuidv7(), 'FC-AT', ${raced}, 'B', 'EUR', ${today}, 0)`;
  const closing = () => post('/branch-days', { branchId: raced, day: today });
  const refused = await meanwhile(shift, closing);
  expectProblem(refused, 409, 'day-not-finished');
  expect(refused.body.unfinished).toHaveLength(2);
  const { branchId: shut } = await plantFleet(db, { vehicles: 0 });
  const of = sql`insert into accounting.branch_day (id, entity_id, branch_id, day, state, figures,
      command_id) values (uuidv7(), 'FC-AT', ${shut}, ${today}, 'closed', '{}', uuidv7())`;
  const after = () => post('/drawer-shifts', { branchId: shut, drawer: 'A', floatMinor: 0 });
  expectProblem(await meanwhile(of, after), 409, 'day-closed');
});

test('a deposit of a rental that is over is asked for until it goes back, and listed by age', async () => {
  const { db, owner } = api.database;
  const rental = await reserveRental(db, AGENT, {
    ...{ id: uuidv7(), branchId, classId: CLASS, customerId: desk.customerId },
    ...{ pickUpAt: hoursFromNow(100), dueAt: hoursFromNow(148) },
  });
  const { id: rentalId, version } = rental;
  const paid = { tender: 'bank-transfer', amountMinor: 30_000 };
  const { id: paymentId } = await taken(post(`/rentals/${rentalId}/cash-deposit`, paid));
  const shown = async () => {
    const { body } = await api.call('GET', `/api/v1/rentals/${rentalId}`);
    const { needsAttention, payBackMinor, actions } = body;
    const action = actions.find(({ name }: { name: string }) => name === 'payBack');
    const { body: day } = await api.call('GET', `/api/v1/counter/today?branchId=${branchId}`);
    const listed = day.needsAttention.rows.filter((one: { id: string }) => one.id === rentalId);
    const reasons = listed.map(({ reason }: { reason: string }) => reason);
    return { needsAttention, payBackMinor, href: action?.href, reasons };
  };
  const held = async (toPayBack: boolean) => {
    const query = `branchId=${branchId}&toPayBack=${toPayBack}`;
    const { items } = await taken(api.call('GET', `/api/v1/deposits/held?${query}`));
    return items.map((one: { rentalId: string; depositMinor: number; days: number }) => [
      ...[one.rentalId, one.depositMinor, one.days],
    ]);
  };
  const balanced = async () => {
    const { items } = await taken(api.call('GET', '/api/v1/deposits/held/ageing'));
    const { rows } = await sql<{ balance: number }>`select coalesce(-sum(l.amount), 0)::bigint
      as balance from accounting.line l join accounting.account a on a.id = l.account_id
      where a.code = '2120' and a.entity_id = 'FC-AT'`.execute(owner);
    return [items[0]?.depositMinor ?? 0, items[0]?.to30Minor ?? 0, rows[0]?.balance];
  };
  const none = { needsAttention: false, payBackMinor: null, href: undefined, reasons: [] };
  expect(await shown()).toEqual(none);
  expect([await held(true), await held(false)]).toEqual([[], [[rentalId, 30_000, 0]]]);
  const command = { type: 'cancel', reason: 'fleet' } as const;
  await recordCommand(db, AGENT, { commandId: uuidv7(), rentalId, version, command });
  const href = `/api/v1/payments/${paymentId}/refunds`;
  const asked = { needsAttention: true, payBackMinor: 30_000, href, reasons: ['pay-back'] };
  expect(await shown()).toEqual(asked);
  expect([await held(true), await held(false)]).toEqual([[[rentalId, 30_000, 0]], []]);
  expect(await balanced()).toEqual([30_000, 30_000, 30_000]);
  const back = (amountMinor: number) =>
    post(href.slice('/api/v1'.length), { amountMinor, reason: 'returned' });
  await taken(back(10_000));
  expect(await balanced()).toEqual([20_000, 20_000, 20_000]);
  await taken(back(20_000));
  expect(await shown()).toEqual(none);
  expect([await held(true), await balanced()]).toEqual([[], [0, 0, 0]]);
});

test('each guard of the tables refuses, and once it is gone nothing else does', async () => {
  const { db, owner } = api.database;
  const { branchId: busy } = await plantFleet(db, { vehicles: 0 });
  const { cases, busyShift, reopened, uncounted } = dayGuards({ branchId, busy, today });
  const found = await tried(owner, async (tx) => {
    await sql`select set_config('app.principal', ${AGENT}, true),
      set_config('app.scope', '*', true)`.execute(tx);
    await busyShift.execute(tx);
    const said: (readonly string[])[] = [];
    const asked = async (...[guard, attempt, without]: GuardCase) => {
      const gone = sql.raw(`alter table accounting.${without}`);
      said.push([guard, ...(await guarded(tx, () => attempt.execute(tx), gone))]);
    };
    for (const one of cases) await asked(...one);
    await reopened.execute(tx);
    await sql`alter table accounting.terminal_count disable trigger user`.execute(tx);
    await sql`delete from accounting.terminal_count`.execute(tx);
    await asked(...uncounted);
    return said;
  });
  const guards = [...cases, uncounted].map(([guard]) => guard);
  expect(found).toEqual(guards.map((guard) => [guard, guard, 'accepted']));
});
