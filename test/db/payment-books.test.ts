// Payments in the books: posted with their rows, told by the gateway in any order, disputed and ended.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeOffDispute } from '../../db/commands/disputes.ts';
import { takeNotice } from '../../db/commands/gateway-notices.ts';
import { listDisputes } from '../../db/queries/disputes.ts';
import type { GatewayNotice } from '../../domain/payments/gateway.ts';
import { CARDS } from '../../payments/simulated.ts';
import {
  type Arrange,
  type PaymentOrders,
  paymentOrders,
  refundOf,
} from '../support/payment-orders.ts';
import { backOf } from '../support/rental-desk.ts';

let at: PaymentOrders;
beforeAll(async () => {
  at = await paymentOrders();
});

type Line = readonly [source: string, account: string, amountMinor: number];

/** What a rental's payments did to the books, in order. */
async function booked(rentalId: string): Promise<readonly Line[]> {
  const { rows } = await sql<{ source: string; code: string; amount: number }>`
    select e.source, a.code, l.amount from accounting.entry e
    join accounting.line l on l.entry_id = e.id join accounting.account a on a.id = l.account_id
    where e.rental_id = ${rentalId} and e.source like 'payment.%'
    order by e.id, l.line_no`.execute(at.t.owner);
  return rows.map(({ source, code, amount }) => [source.slice('payment.'.length), code, amount]);
}

describe('in the books', () => {
  test('a hold is nothing, whatever becomes of it but a capture', async () => {
    const { rentalId } = await at.authorised();
    await at.order(rentalId, { kind: 'increase', amountMinor: 60_000 });
    await at.order(rentalId, { kind: 'release' });
    expect(await booked(rentalId)).toEqual([]);
  });

  test('a capture is one entry in its own transaction, although the process dies before it', async () => {
    const { rentalId } = await at.authorised();
    const step = { kind: 'capture', amountMinor: 36_000 } as const;
    const key = uuidv7();
    await at.pay.beginPayment({ key, rentalId, actor: at.agent, step });
    const lost = await at.pay.askGateway({ key });
    const rights = (verb: string) =>
      sql`${sql.raw(verb)} execute on function accounting.post_payment(jsonb)
        ${sql.raw(verb === 'grant' ? 'to' : 'from')} rentals_rw`.execute(at.t.owner);
    await rights('revoke');
    await expect(at.pay.settlePayment({ actor: at.agent, key, outcome: lost })).rejects.toThrow();
    await rights('grant');
    // Neither the row nor the entry is there; whoever comes next asks the gateway again.
    expect(await booked(rentalId)).toEqual([]);
    expect((await at.pay.readDeposit({ rentalId })).pendingKey).toBe(key);
    const outcome = await at.pay.askGateway({ key });
    for (let n = 0; n < 2; n += 1) await at.pay.settlePayment({ actor: at.agent, key, outcome });
    const security: readonly Line[] = [
      ['capture', '1020', 36_000],
      ['capture', '2120', -36_000],
    ];
    expect(await booked(rentalId)).toEqual(security);
    const unposted = sql`update rentals.payment_attempt set entry_id = null where id = ${key}`;
    await sql`alter table rentals.payment_attempt disable trigger payment_attempt_transition`.execute(
      at.t.owner,
    );
    expect(await at.raw(unposted)).toBe('payment_attempt_posted');
    await sql`alter table rentals.payment_attempt enable trigger payment_attempt_transition`.execute(
      at.t.owner,
    );
  });

  test('a deposit pays the invoice, a later capture what is owed, a refund goes the way back', async () => {
    const { id: rentalId } = await at.rentals.handedOut();
    const card = { payer: 'renter', paymentMethod: CARDS.approve } as const;
    await at.order(rentalId, { kind: 'authorise', amountMinor: 2_000, ...card });
    await at.order(rentalId, { kind: 'capture', amountMinor: 2_000 });
    const rental = await at.rentals.read(rentalId);
    await at.rentals.record(rental, backOf(rental));
    const { rows: priced } = await sql<{ totalMinor: number }>`select total_minor as "totalMinor"
      from rentals.rental where id = ${rentalId}`.execute(at.t.owner);
    const totalMinor = priced[0]?.totalMinor ?? 0;
    const above = totalMinor - 2_000 + 500;
    await at.order(rentalId, { kind: 'authorise', amountMinor: above, ...card });
    const { deposit } = await at.order(rentalId, { kind: 'capture', amountMinor: above });
    expect(deposit.current).toBeNull();
    const { rows } = await sql<{ id: string }>`select id from rentals.authorisation
      where rental_id = ${rentalId} order by created_at desc limit 1`.execute(at.t.owner);
    await at.order(rentalId, refundOf(rows[0]?.id ?? '', 700));
    expect(await booked(rentalId)).toEqual([
      ['capture', '1020', 2_000],
      ['capture', '2120', -2_000],
      ['forfeit', '2120', 2_000],
      ['forfeit', '1200', -2_000],
      ['capture', '1020', above],
      ['capture', '1200', -(above - 500)],
      ['capture', '2120', -500],
      ['refund', '2120', 500],
      ['refund', '1200', 200],
      ['refund', '1020', -700],
    ]);
  });

  test('of another currency nothing is asked of a gateway', async () => {
    const { rentalId } = await at.authorised();
    await sql`update rentals.rental set currency = 'USD', version = version + 1
      where id = ${rentalId}`.execute(at.t.owner);
    const capture = at.order(rentalId, { kind: 'capture', amountMinor: 1 });
    await expect(capture).rejects.toMatchObject({ type: 'currency-mismatch' });
  });
});

describe('a notice', () => {
  test('tells the outcome before the answer comes, once', async () => {
    const { rentalId } = await at.authorised(CARDS.twice);
    await at.told();
    const key = uuidv7();
    const step = { kind: 'capture', amountMinor: 9_000 } as const;
    await at.pay.beginPayment({ key, rentalId, actor: at.agent, step });
    await at.pay.askGateway({ key });
    expect(await at.told()).toEqual([rentalId, rentalId]);
    expect(await booked(rentalId)).toHaveLength(2);
    expect(await at.pay.askGateway({ key })).toBeNull();
    expect((await at.pay.readDeposit({ rentalId })).current).toBeNull();
  });

  test('of a hold’s end needs a person; of one that we gave back it does not', async () => {
    const ours = await at.authorised();
    await at.order(ours.rentalId, { kind: 'release' });
    expect(await at.told()).toEqual([null]);
    const { rentalId, holdId } = await at.authorised();
    const { rows } = await sql<{ ref: string }>`select gateway_ref as ref
      from rentals.authorisation where id = ${holdId}`.execute(at.t.owner);
    const ended = { id: uuidv7(), type: 'hold-ended', ref: rows[0]?.ref ?? '' } as const;
    for (let n = 0; n < 2; n += 1) {
      expect(await takeNotice(at.t.db, 'simulated', ended)).toBe(rentalId);
    }
    expect(await at.pay.readDeposit({ rentalId })).toMatchObject({
      current: null,
      attention: 'ended by the gateway',
    });
    expect(await takeNotice(at.t.db, 'simulated', { ...ended, ref: 'another-shop' })).toBeNull();
    expect((await at.pay.readDeposit({ rentalId: ours.rentalId })).attention).toBeNull();
  });

  test('that a refund came back undoes its entry and calls a person', async () => {
    const { rentalId, holdId } = await at.authorised(CARDS.refundFailed);
    await at.order(rentalId, { kind: 'capture', amountMinor: 9_000 });
    await at.order(rentalId, refundOf(holdId, 50));
    await at.told((all) => all.toReversed());
    expect((await booked(rentalId)).slice(2)).toEqual([
      ['refund', '2120', 50],
      ['refund', '1020', -50],
      ['refund-failed', '2120', -50],
      ['refund-failed', '1020', 50],
    ]);
    expect(await at.pay.readDeposit({ rentalId })).toMatchObject({
      attention: 'a refund came back',
    });
  });
});

describe('a dispute', () => {
  const OPENED: readonly Line[] = [
    ['chargeback', '1210', 9_000],
    ['chargeback', '5400', 1_500],
    ['chargeback', '1020', -10_500],
  ];

  async function disputed(card: string, arrange?: Arrange) {
    await at.told();
    const hold = await at.authorised(card);
    await at.order(hold.rentalId, { kind: 'capture', amountMinor: 9_000 });
    await at.told(arrange);
    const { rows } = await listDisputes(at.t.db, 'system:test', { ...hold, limit: 9 });
    expect(rows).toHaveLength(1);
    const dispute = rows[0] as (typeof rows)[number];
    return { ...hold, dispute, entries: (await booked(hold.rentalId)).slice(2) };
  }

  test('is posted, and the rental is charged no more, by the rows too', async () => {
    const { rentalId, holdId, dispute, entries } = await disputed(CARDS.dispute);
    expect([dispute.state, dispute.amountMinor, entries]).toEqual(['open', 9_000, OPENED]);
    expect((await at.pay.readDeposit({ rentalId })).attention).toBe('disputed');
    const card = { payer: 'renter', amountMinor: 1, paymentMethod: CARDS.approve } as const;
    const refused = { type: 'invalid-state' };
    await expect(at.order(rentalId, { kind: 'authorise', ...card })).rejects.toMatchObject(refused);
    await expect(at.order(rentalId, refundOf(holdId, 1))).rejects.toMatchObject(refused);
    const direct = sql`insert into rentals.payment_attempt (id, authorisation_id, kind, amount_minor)
      values ('direct', ${holdId}, 'refund', 1)`;
    expect(await at.raw(direct)).toBe('payment_attempt_undisputed');
  });

  test.each([
    ['in order', undefined],
    [
      'the last word first, and all twice',
      (all: readonly GatewayNotice[]) => [...all, ...all].toReversed(),
    ],
  ] as const)('that was won is reversed: told %s', async (_how, arrange) => {
    const { rentalId, dispute, entries } = await disputed(CARDS.disputeWon, arrange);
    expect(dispute.state).toBe('won');
    const won = OPENED.map(([, code, amount]) => ['chargeback-won', code, -amount]);
    expect(entries).toEqual([...OPENED, ...won]);
    expect(await at.pay.readDeposit({ rentalId })).toMatchObject({ attention: null });
    const card = { payer: 'renter', amountMinor: 1, paymentMethod: CARDS.approve } as const;
    expect((await at.order(rentalId, { kind: 'authorise', ...card })).declined).toBeNull();
  });

  test('in another currency is kept, though no books take it, and calls a person', async () => {
    const abroad: Arrange = (all) =>
      all.map((one) =>
        one.type === 'disputed' ? { ...one, dispute: { ...one.dispute, currency: 'USD' } } : one,
      );
    const { rentalId, dispute, entries } = await disputed(CARDS.disputeLost, abroad);
    expect([dispute.state, dispute.currency, entries]).toEqual(['lost', 'USD', []]);
    expect((await at.pay.readDeposit({ rentalId })).attention).toBe('disputed');
    expect((await disputed(CARDS.disputeWon, abroad)).dispute.state).toBe('won');
  });

  test('that was lost is written off by two people, for exactly its amount, once', async () => {
    const { rentalId, dispute } = await disputed(CARDS.disputeLost);
    expect(dispute).toMatchObject({ state: 'lost', rentalId });
    const approved = async (amount: number) => {
      const approvalId = uuidv7();
      await sql`insert into people.approval (id, kind, subject_type, subject_id, amount, reason,
          requested_by, requested_at, expires_at, status, decided_by, decided_at)
        values (${approvalId}, 'write-off', 'dispute', ${dispute.id}, ${amount}, 'lost',
          'staff:a', now(), now() + interval '1 day', 'approved', 'staff:b', now())`.execute(
        at.t.owner,
      );
      return { disputeId: dispute.id, approvalId, reason: 'the bank decided' };
    };
    const writeOff = async (amount: number) =>
      writeOffDispute(at.t.db, 'staff:a', await approved(amount));
    await expect(writeOff(8_999)).rejects.toMatchObject({ code: 'four-eyes' });
    const asked = await approved(9_000);
    for (let n = 0; n < 2; n += 1) {
      const { state } = await writeOffDispute(at.t.db, 'staff:a', asked);
      expect(state).toBe('written_off');
    }
    expect((await booked(rentalId)).slice(5)).toEqual([
      ['chargeback-lost', '5410', 9_000],
      ['chargeback-lost', '1210', -9_000],
    ]);
    await expect(writeOff(9_000)).rejects.toMatchObject({ code: 'invalid-state' });
    const { rows } = await sql<{ sum: number }>`select sum(amount)::bigint as sum
      from accounting.line`.execute(at.t.owner);
    expect(rows[0]?.sum).toBe(0);
  });
});
