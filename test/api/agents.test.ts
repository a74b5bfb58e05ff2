// Commissionable agents: what rentals earn them, their statements, and how they are paid.
import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { openLegalEntity } from '../../db/commands/accounting.ts';
import type { DB } from '../../db/schema.ts';
import { DEMO_CHART } from '../../domain/ledger.ts';
import type { RentalState } from '../../domain/rental.ts';
import { type AgentDesk, agentDesk, MONTH } from '../support/agent-desk.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { taken } from '../support/cash-desk.ts';
import { AGENT, attempt, hoursFromNow } from '../support/fleet.ts';
import { customerPerson, plantStaff, tokenOf } from '../support/people.ts';
import { OUT } from '../support/rental-desk.ts';
import { companyOf, entryOf, moneyFaults, splitWith } from '../support/rental-money.ts';

let api: TestApi;
let desk: AgentDesk;
let owner: Kysely<DB>;
const post: AgentDesk['post'] = (...call) => desk.post(...call);
const put: AgentDesk['put'] = (...call) => desk.put(...call);
const agent: AgentDesk['agent'] = (...call) => desk.agent(...call);

beforeAll(async () => {
  api = await testApi();
  desk = await agentDesk(api);
  ({ owner } = api.database);
});

describe('a rental of an agent', () => {
  test('earns on time with its invoice, and less with each credit note, until nothing is left', async () => {
    const agentId = await agent();
    const rental = await desk.returned({ agentId });
    expect(await entryOf(owner, rental, 'commission.rated')).toEqual(['5500 618', '2140 -618']);
    const path = `/invoices/${rental.invoiceId}/credit-notes`;
    const part = { lines: [{ lineNo: 1, netMinor: 2_000 }], reason: 'goodwill' };
    const cover = { lines: [{ lineNo: 2, netMinor: 200 }], reason: 'goodwill' };
    const key = randomUUID();
    for (let n = 0; n < 2; n += 1) await taken(post(path, part, { key }));
    await taken(post(path, cover));
    await taken(post(path, { reason: 'billing-error' }));
    // 50.00, then 30.00: 6.175 and 3.705.
    expect(await desk.earnedBy(rental)).toEqual([
      [5_000, 618],
      [-2_000, -247],
      [-3_000, -371],
    ]);
    const sums = { openingMinor: 0, commissionMinor: 618, reversalMinor: -618, closingMinor: 0 };
    expect(await desk.statementOf(agentId)).toMatchObject({ ...sums, currency: 'EUR' });
    expect(await moneyFaults(owner)).toEqual([]);
  });

  test('earns on what each payer is invoiced, on no broker’s voucher, and not when it is called off', async () => {
    const agentId = await agent();
    const [shared, sold] = [await desk.book({ agentId }), await desk.book({ agentId })];
    const off = await desk.book({ agentId });
    const payerId = await companyOf(owner, null);
    await splitWith(api.database.db, shared, { payerId, percentBp: 3_333 });
    const voucher = { kind: 'voucher', covers: ['time'], voucherNetMinor: 4_000 } as const;
    await splitWith(api.database.db, sold, { payerId, ...voucher });
    for (const rental of [shared, sold]) await desk.back(rental);
    await desk.after(off, { type: 'cancel', reason: 'customer' });
    expect(await desk.earnedBy(shared)).toEqual([
      [3_334, 412],
      [1_666, 206],
    ]);
    for (const rental of [sold, off]) expect(await desk.earnedBy(rental)).toEqual([]);
  });

  test('keeps the terms of the day on which it was booked', async () => {
    const agentId = await agent();
    const rental = await desk.book({ agentId });
    const path = `/agents/${agentId}/terms`;
    const next = { rateBp: 3_000, validFrom: hoursFromNow(72).slice(0, 10) };
    const agreed = await taken(post(path, next));
    expect(agreed).toMatchObject({ version: 2, terms: [{ rateBp: 3_000 }, { rateBp: 1_235 }] });
    expect(await taken(post(path, next))).toEqual(agreed);
    expectProblem(await post(path, { ...next, rateBp: 10 }), 409, 'duplicate');
    const past = { ...next, validFrom: '2026-01-01' };
    expectProblem(await post(path, past), 422, 'value-refused');
    const change = sql`update accounting.agent_terms set rate_bp = 1`.execute(owner);
    await expect(change).rejects.toThrow('never changed');
    await desk.back(rental);
    expect(await desk.earnedBy(rental)).toEqual([[5_000, 618]]);
  });

  test('billed in cycles earns by the document, and at last on its price, not a cent more', async () => {
    const branchId = await desk.pricedBy({ longTermVatRateBp: 1_000 });
    const term = { pickUpAt: hoursFromNow(0), dueAt: hoursFromNow(31 * 24), branchId };
    const more = { coverages: ['cdw'], billing: '28-days', agentId: await agent() } as const;
    const rental = await desk.after(await desk.book({ ...term, ...more }), OUT);
    await desk.later(rental, 28);
    await desk.after(await desk.read(rental.id), { type: 'billCycle' });
    expect(await desk.earnedBy(rental)).toEqual([[70_000, 8_645]]);
    const [first] = await desk.invoicesOf(rental);
    const part = { lines: [{ lineNo: 1, netMinor: 10_000 }], reason: 'goodwill' };
    await taken(post(`/invoices/${first}/credit-notes`, part));
    // Two days early it is a short hire: the cycle is credited, and 29 days invoiced at another rate.
    await desk.later(rental, 1, -5);
    const home = { ...OUT, type: 'checkIn', branchId } as const;
    await desk.after(await desk.read(rental.id), home);
    // 750.00 for 29 days, less the 100.00 that were given back: 80.275.
    expect(await desk.earnedInAll(rental)).toEqual([65_000, 8_028]);
    for (const id of await desk.invoicesOf(rental)) {
      await post(`/invoices/${id}/credit-notes`, { reason: 'billing-error' });
    }
    expect(await desk.earnedInAll(rental)).toEqual([0, 0]);
  });
});

describe('the agent of a rental', () => {
  test('is changed until the keys are out, by version, and only to one of its own books', async () => {
    const [first, second] = [await agent(), await agent({}, 500)];
    const { id } = await desk.book();
    expectProblem(await api.call('GET', `/api/v1/rentals/${id}/agent`), 404, 'not-found');
    expect(await taken(put(id, first))).toMatchObject({ agentId: first, version: 1 });
    expectProblem(await put(id, second), 428, 'precondition-required');
    expect(await taken(put(id, second, 1))).toMatchObject({ agentId: second, version: 2 });
    expectProblem(await put(id, null, 1), 412, 'version-conflict');
    const swiss = { id: 'FC-CH', name: 'CH', functionalCurrency: 'CHF', timeZone: 'Europe/Zurich' };
    const chart = DEMO_CHART.filter(({ code }) => code !== '5500');
    await openLegalEntity(api.database.db, AGENT, swiss, chart);
    const there = { code: 'AG-CH', name: 'CH', entityId: 'FC-CH', terms: { rateBp: 1 } };
    expectProblem(await post('/agents', there), 422, 'value-refused');
    await openLegalEntity(api.database.db, AGENT, swiss, DEMO_CHART);
    await desk.patch(first, { status: 'ended' }, 1);
    for (const other of [await agent({ entityId: 'FC-CH' }), first]) {
      expectProblem(await put(id, other, 2), 422, 'unknown-reference');
      expect(await attempt(desk.book({ agentId: other }))).toBe('not-found');
    }
    const own = sql`update rentals.rental_agent set rate_bp = 5000, version = version + 1
      where rental_id = ${id} returning rate_bp as rate`.execute(owner);
    expect((await own).rows).toEqual([{ rate: 500 }]);
    await desk.after(await desk.read(id), OUT);
    expectProblem(await put(id, null, 3), 409, 'invalid-state');
  });

  test('is nobody’s to name but the staff’s of its branch', async () => {
    const { id, customerId, branchId, classId } = await desk.book();
    const agentId = await agent();
    const as = async (role: 'branch-manager' | 'accountant', branch: string) =>
      tokenOf(await plantStaff(owner, { roles: [role], branches: [branch] }));
    const path = `/api/v1/rentals/${id}/agent`;
    await taken(put(id, agentId));
    const elsewhere = await as('branch-manager', 'NONE');
    for (const [method, more] of [['GET'], ['PUT', { body: { agentId } }]] as const) {
      expectProblem(await api.call(method, path, { token: elsewhere, ...more }), 404, 'not-found');
    }
    const token = await tokenOf(await customerPerson(owner, customerId));
    const term = { pickUpAt: hoursFromNow(24), dueAt: hoursFromNow(48) };
    const own = { branchId, classId, customerId, agentId, ...term };
    expectProblem(await post('/rentals', own, { token }), 403, 'forbidden');
    const statement = `/api/v1/agents/${agentId}/statements/${MONTH}`;
    const limited = { token: await as('accountant', branchId) };
    expectProblem(await api.call('GET', statement, limited), 403, 'forbidden');
  });
});

describe('an agent is paid', () => {
  const transfer = (amountMinor: number, more: object = {}) => ({
    ...{ method: 'bank-transfer', month: MONTH, amountMinor, reference: 'T-1', ...more },
  });

  test('what the statement says, once, and never more; its balance is the ledger’s', async () => {
    const agentId = await agent();
    const path = `/agents/${agentId}/payouts`;
    for (let n = 0; n < 2; n += 1) await desk.returned({ agentId });
    expectProblem(await post(path, transfer(1_237)), 422, 'amount-too-high');
    expectProblem(await post(path, transfer(1, { month: '2026-01' })), 422, 'amount-too-high');
    const once = { key: randomUUID() };
    const first = await taken(post(path, transfer(500), once));
    expect(await taken(post(path, transfer(500), once))).toEqual(first);
    await taken(post(path, transfer(400)));
    expectProblem(await post(path, transfer(400)), 422, 'amount-too-high');
    const told = await desk.statementOf(agentId, '?limit=2');
    expect(told).toMatchObject({ commissionMinor: 1_236, paidMinor: -900, closingMinor: 336 });
    expect(await desk.payableTo(agentId)).toBe(336);
    const next = await desk.statementOf(agentId, `?cursor=${told.nextCursor}`);
    const items: readonly { amountMinor: number }[] = [...told.items, ...next.items];
    expect(items.map(({ amountMinor }) => amountMinor).toSorted()).toEqual([-400, -500, 618, 618]);
    expect(await desk.legsOf(first.entryId)).toEqual(['2140 500', '1010 -500']);
  });

  test('above one’s limit by two people, for exactly that amount', async () => {
    const agentId = await agent({}, 5_000);
    await desk.returned({ agentId });
    const clerk = await plantStaff(owner, { roles: ['accountant'] });
    const token = await tokenOf(clerk);
    await desk.refundedToday(clerk.id, 199_999);
    const path = `/agents/${agentId}/payouts`;
    expectProblem(await post(path, transfer(1_000), { token }), 403, 'limit-exceeded');
    const asked = { kind: 'refund', subjectType: 'agent', subjectId: agentId, branchId: null };
    const request = post('/approvals', { ...asked, amount: 1_000, reason: 'x' }, { token });
    const { id: approvalId } = await taken(request);
    await taken(post(`/approvals/${approvalId}/approve`));
    const approved = (amountMinor: number) =>
      post(path, transfer(amountMinor, { approvalId }), { token });
    expectProblem(await approved(1_001), 403, 'four-eyes');
    await taken(approved(1_000));
    expectProblem(await approved(1_000), 403, 'four-eyes');
  });

  test('by what it owes itself, only where that was agreed, and by one of two at once', async () => {
    const [own, another] = [await companyOf(owner, null), await companyOf(owner, null)];
    const agentId = await agent({ customerId: own });
    const debts = [await desk.returned({ agentId, payerId: own })];
    debts.push(await desk.returned({ payerId: own }));
    const foreign = await desk.returned({ payerId: another });
    const net = ({ invoiceId }: RentalState, who: object = {}) => {
      const of = { method: 'netting', month: MONTH, amountMinor: 600, invoiceId };
      return post(`/agents/${agentId}/payouts`, of, who);
    };
    expectProblem(await net(foreign), 422, 'value-refused');
    expectProblem(
      await desk.patch(await agent(), { nettingAgreed: true }, 1),
      422,
      'value-refused',
    );
    for (const debt of debts) expectProblem(await net(debt), 422, 'value-refused');
    await taken(desk.patch(agentId, { nettingAgreed: true }, 1));
    expectProblem(await net(foreign), 422, 'value-refused');
    const people = [{}, { token: await tokenOf(await plantStaff(owner)) }];
    const both = await Promise.all(debts.map((debt, index) => net(debt, people[index])));
    expect(both.map(({ status }) => status).toSorted()).toEqual([201, 422]);
    const paid = both.find(({ status }) => status === 201)?.body.invoiceId;
    const open = await taken(api.call('GET', `/api/v1/invoices/${paid}`));
    expect([open.settledMinor, open.openMinor]).toEqual([600, open.dueMinor - 600]);
    expect(await desk.statementOf(agentId)).toMatchObject({ nettedMinor: -600, closingMinor: 18 });
    expect(await desk.payableTo(agentId)).toBe(18);
    expect(await moneyFaults(owner)).toEqual([]);
  });
});

test('the books take no commission that its entry or its rate does not say', async () => {
  const { id } = await desk.returned({ agentId: await agent() });
  const other = `(select entry_id from accounting.invoice where rental_id = '${id}')`;
  for (const [values, constraint] of [
    ['1000, 0, null::uuid', 'commission_at_its_rate'],
    ['0, 5, null::uuid', 'commission_is_posted'],
    [`1000, 123, ${other}`, 'commission_as_posted'],
  ] as const) {
    await expect(desk.anotherOf(id, values)).rejects.toMatchObject({ constraint });
  }
  const constraint = 'agent_payout_as_posted';
  await expect(desk.paidBy(id)).rejects.toMatchObject({ constraint });
  expect(await desk.unexplained()).toBe(0);
});
