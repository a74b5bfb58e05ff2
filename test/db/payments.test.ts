// Money on cards: what must never happen is refused by the rows, and an answer counts once.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { receivePrepayment } from '../../db/commands/prepayments.ts';
import { openHolds } from '../../db/queries/deposits.ts';
import { NoticeRefused } from '../../domain/payments/gateway.ts';
import { signNotice } from '../../payments/notices.ts';
import { CARDS } from '../../payments/simulated.ts';
import { guarded, tried } from '../support/broken-guards.ts';
import { AGENT, hoursFromNow } from '../support/fleet.ts';
import {
  changePayment,
  PAYMENT_GUARDS,
  plantPayment,
  without,
} from '../support/guarded-payments.ts';
import { type PaymentOrders, paymentOrders, refundOf } from '../support/payment-orders.ts';
import { backOf } from '../support/rental-desk.ts';

let at: PaymentOrders;
let reserved: ReturnType<PaymentOrders['rentals']['reserved']> | undefined;
/** One without a hold. */
const rental = () => {
  reserved ??= at.rentals.reserved();
  return reserved;
};
beforeAll(async () => {
  at = await paymentOrders();
});

describe('the rows refuse', () => {
  test('more captured than held, more refunded than captured', async () => {
    const { holdId } = await at.captured();
    const change = (to: ReturnType<typeof sql>, id: string) =>
      at.raw(sql`update rentals.authorisation set ${to}, version = version + 1 where id = ${id}`);
    const open = await at.authorised();
    const taken = (minor: number) => sql`state = 'captured', captured_minor = ${minor}`;
    expect(await change(taken(50_001), open.holdId)).toBe('authorisation_captures_what_it_holds');
    expect(await change(sql`refunded_minor = 36001`, holdId)).toBe(
      'authorisation_refunds_what_was_taken',
    );
    expect(await change(sql`captured_minor = 35000`, holdId)).toBe('authorisation_transition');
    expect(await change(sql`state = 'open'`, holdId)).toBe('authorisation_transition');
    expect(await change(sql`state = 'captured'`, open.holdId)).toBe(
      'authorisation_captured_means_taken',
    );
  });

  test('an order to the gateway that the hold does not allow, before it is asked', async () => {
    const open = await at.authorised();
    const { holdId } = await at.captured();
    const insert = (id: string, kind: string, minor: number | null) =>
      at.raw(sql`insert into rentals.payment_attempt (id, authorisation_id, kind, amount_minor)
        values (${uuidv7()}, ${id}, ${kind}, ${minor})`);
    expect(await insert(open.holdId, 'capture', 50_001)).toBe('payment_attempt_allowed');
    expect(await insert(open.holdId, 'increase', 50_000)).toBe('payment_attempt_allowed');
    expect(await insert(open.holdId, 'refund', 1)).toBe('payment_attempt_allowed');
    expect(await insert(holdId, 'capture', 1)).toBe('payment_attempt_allowed');
    expect(await insert(holdId, 'release', null)).toBe('payment_attempt_allowed');
    expect(await insert(holdId, 'refund', 20_000)).toBe('done');
    expect(await insert(holdId, 'refund', 10_000)).toBe('payment_attempt_one_unknown');
    // What is on its way counts already.
    expect(await insert(holdId, 'refund', 16_001)).toBe('payment_attempt_allowed');
  });

  test('a second open hold of a rental, and a card’s number', async () => {
    const { rentalId, holdId } = await at.authorised();
    const copy = (card: string) =>
      at.raw(sql`insert into rentals.authorisation (id, rental_id, payer, gateway, gateway_ref,
          payment_method, state, amount_minor, currency, opened_at, valid_until)
        select gen_random_uuid(), rental_id, payer, gateway, gen_random_uuid(), ${card}, state,
          amount_minor, currency, opened_at, valid_until
        from rentals.authorisation where id = ${holdId}`);
    expect(await copy('sim_approve')).toBe('authorisation_one_open');
    expect(await copy('4242 4242 4242 4242')).toBe('authorisation_keeps_no_card');
    const again = { kind: 'authorise', payer: 'renter', amountMinor: 1 } as const;
    const { deposit } = await at.order(rentalId, { ...again, paymentMethod: CARDS.approve });
    expect(deposit.replaced?.id).toBe(holdId);
  });
});

test('a hold that is not let go keeps no third one away: it calls a person, until it ends', async () => {
  const { rentalId, holdId: first } = await at.authorised();
  const card = { kind: 'authorise', payer: 'renter', paymentMethod: CARDS.approve } as const;
  const release = (authorisationId: string) => ({ kind: 'release', authorisationId }) as const;
  const { deposit: second } = await at.order(rentalId, { ...card, amountMinor: 60_000 });
  const kept = await at.order(rentalId, release(first), uuidv7(), at.refusing('release'));
  expect(kept.declined).toBe('not-now');
  const { deposit } = await at.order(rentalId, { ...card, amountMinor: 70_000 });
  expect(deposit).toMatchObject({ attention: 'not released', pendingKey: null });
  expect([deposit.current?.amountMinor, deposit.replaced?.id]).toEqual([
    70_000,
    second.current?.id,
  ]);
  const left = await at.order(rentalId, release(second.current?.id ?? ''));
  expect(left.deposit.replaced).toMatchObject({ id: first, attention: 'not released' });
});

test('what the gateway will not release because it has ended is over', async () => {
  const { rentalId } = await at.authorised();
  const over = { status: 'done', ref: 'x', heldAt: null, validUntil: null } as const;
  const ended = at.refusing('release', { ...over, overcapturePercent: 0 });
  const { declined, deposit } = await at.order(rentalId, { kind: 'release' }, uuidv7(), ended);
  expect([declined, deposit.current]).toEqual([null, null]);
});

test('after a card that declined what is owed, another one settles the same ending, once', async () => {
  const { id: rentalId } = await at.rentals.handedOut();
  const card = { kind: 'authorise', payer: 'renter', paymentMethod: CARDS.approve } as const;
  await at.order(rentalId, { ...card, amountMinor: 50_000 });
  const rental = await at.rentals.read(rentalId);
  await at.rentals.record(rental, backOf(rental));
  const settle = (by = at.pay) => at.order(rentalId, { kind: 'settle' }, 'ended-at-3', by);
  expect((await settle(at.refusing('capture'))).declined).toBe('not-now');
  // The same card is not asked again.
  expect((await settle()).declined).toBe('not-now');
  const { deposit } = await at.order(rentalId, { ...card, amountMinor: 60_000 });
  await at.order(rentalId, { kind: 'release', authorisationId: deposit.replaced?.id ?? '' });
  for (let n = 0; n < 2; n += 1) expect((await settle()).deposit.current).toBeNull();
  const { rows } = await sql`select p.state from rentals.payment_attempt p
    join rentals.authorisation a on a.id = p.authorisation_id
    where a.rental_id = ${rentalId} and p.kind = 'capture' order by p.created_at`.execute(
    at.t.owner,
  );
  expect(rows).toEqual([{ state: 'declined' }, { state: 'done' }]);
});

test('an answer that is given twice counts once, and the same order is the same hold', async () => {
  const { id: rentalId } = await at.rentals.reserved();
  const card = { payer: 'renter', amountMinor: 10_000, paymentMethod: CARDS.timeout } as const;
  const step = { kind: 'authorise', ...card } as const;
  const [first, second] = [
    await at.order(rentalId, step, 'k-1'),
    await at.order(rentalId, step, 'k-1'),
  ];
  expect(second).toEqual(first);
  const stale = { status: 'declined', code: 'late' } as const;
  await at.pay.settlePayment({ actor: at.agent, key: 'k-1', outcome: stale });
  expect((await at.pay.readDeposit({ rentalId })).current).toEqual(first.deposit.current);
  const { rows } = await sql`select from simulated_gateway.hold
    where rental_id = ${rentalId}`.execute(at.t.owner);
  expect(rows).toHaveLength(1);
  const { rows: facts } = await sql<{ type: string; seq: number }>`select type, seq
    from events.outbox where aggregate_id = ${first.deposit.current?.id}`.execute(at.t.owner);
  expect(facts).toEqual([{ type: 'forecourt.deposit.authorised.v1', seq: 1 }]);
});

test.each(PAYMENT_GUARDS)('$guard refuses by itself, and nothing else does', async (one) => {
  const { table, after = [], insert, update } = one;
  const { id } = await rental();
  const said = await tried(at.t.owner, async (tx) => {
    for (const each of after) await plantPayment(tx, id, each);
    const attempt = () =>
      update ? changePayment(tx, table, update) : plantPayment(tx, id, table, insert);
    return guarded(tx, attempt, without(one));
  });
  expect(said).toEqual([one.guard, 'accepted']);
});

describe('a refund', () => {
  test('is one’s own up to the limit, which counts per day; never above what was captured', async () => {
    const { rentalId, holdId } = await at.captured();
    await at.order(rentalId, refundOf(holdId, 4_000));
    const more = at.order(rentalId, refundOf(holdId, 1_001));
    await expect(more).rejects.toMatchObject({ type: 'limit-exceeded' });
    const other = await at.captured();
    const elsewhere = at.order(other.rentalId, refundOf(other.holdId, 1_001));
    await expect(elsewhere).rejects.toMatchObject({ type: 'limit-exceeded' });
    const all = at.order(rentalId, refundOf(holdId, 32_001, { limitMinor: 10_000_000 }));
    await expect(all).rejects.toMatchObject({ type: 'amount-too-high' });
  });

  test('gives nothing back of what became a prepayment', async () => {
    const { rentalId, holdId } = await at.captured();
    await receivePrepayment(at.t.db, AGENT, {
      ...{ id: uuidv7(), rentalId, tender: 'deposit', amountMinor: 18_000 },
      at: hoursFromNow(0),
    });
    const refund = (minor: number) =>
      at.order(rentalId, refundOf(holdId, minor, { limitMinor: 10_000_000 }));
    await expect(refund(18_001)).rejects.toMatchObject({ type: 'amount-too-high' });
    expect((await refund(18_000)).declined).toBeNull();
    await expect(refund(1)).rejects.toMatchObject({ type: 'amount-too-high' });
    const { rows } = await sql`select a.code, sum(l.amount)::int as sum from accounting.entry e
      join accounting.line l on l.entry_id = e.id join accounting.account a on a.id = l.account_id
      where e.rental_id = ${rentalId} and a.code in ('1200', '2120') group by 1`.execute(
      at.t.owner,
    );
    expect(rows).toEqual([{ code: '2120', sum: 0 }]);
  });

  test('above it needs an approval of exactly this amount, which is used up', async () => {
    const { rentalId, holdId } = await at.captured();
    const approvalId = uuidv7();
    await sql`insert into people.approval (id, kind, subject_type, subject_id, amount, reason,
        requested_by, requested_at, expires_at, status, decided_by, decided_at)
      values (${approvalId}, 'refund', 'rental', ${rentalId}, 20000, 'damage was ours', 'staff:a',
        now(), now() + interval '1 day', 'approved', 'staff:b', now())`.execute(at.t.owner);
    const refund = (minor: number) => at.order(rentalId, refundOf(holdId, minor, { approvalId }));
    await expect(refund(20_001)).rejects.toMatchObject({ type: 'four-eyes' });
    expect((await refund(20_000)).declined).toBeNull();
    await expect(refund(16_000)).rejects.toMatchObject({ type: 'four-eyes' });
  });
});

test('open holds are listed by their end; the rows of other branches are not there', async () => {
  const short = await at.authorised(CARDS.expire);
  const { branchId } = await at.rentals.read(short.rentalId);
  const system = await openHolds(at.t.db, 'system:test', { limit: 3 });
  expect(system.rows[0]?.id).toBe(short.holdId);
  expect(system.more).toBe(true);
  const after = await openHolds(at.t.db, 'system:test', { limit: 200, after: short.holdId });
  expect(after.rows.map(({ id }) => id)).not.toContain(short.holdId);
  const seenFrom = (scope: string) =>
    openHolds(at.t.db, { principal: 'staff:x', scope }, { limit: 9, attention: false });
  expect((await seenFrom(`branches:${branchId}`)).rows).toMatchObject([
    { id: short.holdId, branchId },
  ]);
  expect((await seenFrom('branches:NONE')).rows).toEqual([]);
});

test('a notice is believed when the gateway signed it, lately', () => {
  const body = JSON.stringify({ id: 'n-1', type: 'hold-ended', ref: 'sim_1', rentalId: null });
  const atS = Math.floor(Date.now() / 1_000);
  expect(at.readNotice(body, signNotice(at.secret, body, atS))).toMatchObject({ id: 'n-1' });
  for (const signature of [
    signNotice('another', body, atS),
    signNotice(at.secret, `${body} `, atS),
    signNotice(at.secret, body, atS - 301),
    '',
  ]) {
    expect(() => at.readNotice(body, signature)).toThrow(NoticeRefused);
  }
});
