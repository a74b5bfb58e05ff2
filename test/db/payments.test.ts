// Money on cards: what must never happen is refused by the rows, and an answer counts once.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { createPaymentActivities } from '../../activities/payments.ts';
import { openHolds } from '../../db/queries/deposits.ts';
import type { Actor } from '../../domain/actor.ts';
import type { PaymentStep } from '../../domain/payments/deposit.ts';
import { NoticeRefused } from '../../domain/payments/gateway.ts';
import { signNotice } from '../../payments/notices.ts';
import { CARDS, simulatedGateway } from '../../payments/simulated.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { plantStaff } from '../support/people.ts';
import { type RentalDesk, rentalDesk } from '../support/rental-desk.ts';
import { attemptRaw } from '../support/waiting.ts';

const SECRET = 'a secret of the gateway';
let t: TestDatabase;
let rentals: RentalDesk;
let pay: ReturnType<typeof createPaymentActivities>;
let agent: Actor;
const now = () => new Date().toISOString();

beforeAll(async () => {
  t = await testDatabase();
  rentals = await rentalDesk(t);
  const gateway = simulatedGateway({ db: t.db, now, secret: SECRET });
  pay = createPaymentActivities({ db: t.db, gateway });
  agent = { kind: 'staff', id: (await plantStaff(t.owner, { roles: ['counter-agent'] })).id };
});

async function order(rentalId: string, step: PaymentStep, key: string = uuidv7()) {
  const { isAsked } = await pay.beginPayment({ key, rentalId, actor: agent, step });
  if (!isAsked) return { deposit: await pay.readDeposit({ rentalId }), declined: null };
  const outcome = await pay.askGateway({ key }).catch(() => pay.askGateway({ key }));
  return pay.settlePayment({ actor: agent, key, outcome });
}

async function authorised(card: string = CARDS.approve, amountMinor = 50_000) {
  const { id: rentalId } = await rentals.reserved();
  const asked = { kind: 'authorise', payer: 'renter', amountMinor, paymentMethod: card } as const;
  const { deposit } = await order(rentalId, asked);
  return { rentalId, holdId: deposit.current?.id ?? '' };
}

async function captured(amountMinor = 36_000) {
  const hold = await authorised();
  await order(hold.rentalId, { kind: 'capture', amountMinor });
  return hold;
}

function refundOf(authorisationId: string, amountMinor: number, over: object = {}) {
  const limits = { approvalId: null, limitMinor: 5_000 };
  const why = { reason: 'too much was taken' };
  return { kind: 'refund', authorisationId, amountMinor, ...why, ...limits, ...over } as const;
}

const raw = (statement: ReturnType<typeof sql>) => attemptRaw(statement.execute(t.owner));

describe('the rows refuse', () => {
  test('more captured than held, more refunded than captured', async () => {
    const { holdId } = await captured();
    const change = (to: ReturnType<typeof sql>, id: string) =>
      raw(sql`update rentals.authorisation set ${to}, version = version + 1 where id = ${id}`);
    const open = await authorised();
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
    const open = await authorised();
    const { holdId } = await captured();
    const insert = (id: string, kind: string, minor: number | null) =>
      raw(sql`insert into rentals.payment_attempt (id, authorisation_id, kind, amount_minor)
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
    const { rentalId, holdId } = await authorised();
    const copy = (card: string) =>
      raw(sql`insert into rentals.authorisation (id, rental_id, payer, gateway, gateway_ref,
          payment_method, state, amount_minor, currency, opened_at, valid_until)
        select gen_random_uuid(), rental_id, payer, gateway, gen_random_uuid(), ${card}, state,
          amount_minor, currency, opened_at, valid_until
        from rentals.authorisation where id = ${holdId}`);
    expect(await copy('sim_approve')).toBe('authorisation_one_open');
    expect(await copy('4242 4242 4242 4242')).toBe('authorisation_keeps_no_card');
    const again = { kind: 'authorise', payer: 'renter', amountMinor: 1 } as const;
    const { deposit } = await order(rentalId, { ...again, paymentMethod: CARDS.approve });
    expect(deposit.replaced?.id).toBe(holdId);
    const third = order(rentalId, { ...again, paymentMethod: CARDS.approve });
    await expect(third).rejects.toMatchObject({ type: 'refused-value' });
  });
});

test('an answer that is given twice counts once, and the same order is the same hold', async () => {
  const { id: rentalId } = await rentals.reserved();
  const card = { payer: 'renter', amountMinor: 10_000, paymentMethod: CARDS.timeout } as const;
  const step = { kind: 'authorise', ...card } as const;
  const [first, second] = [await order(rentalId, step, 'k-1'), await order(rentalId, step, 'k-1')];
  expect(second).toEqual(first);
  const stale = { status: 'declined', code: 'late' } as const;
  await pay.settlePayment({ actor: agent, key: 'k-1', outcome: stale });
  expect((await pay.readDeposit({ rentalId })).current).toEqual(first.deposit.current);
  const { rows } = await sql`select from simulated_gateway.hold
    where rental_id = ${rentalId}`.execute(t.owner);
  expect(rows).toHaveLength(1);
  const { rows: facts } = await sql<{ type: string; seq: number }>`select type, seq
    from events.outbox where aggregate_id = ${first.deposit.current?.id}`.execute(t.owner);
  expect(facts).toEqual([{ type: 'forecourt.deposit.authorised.v1', seq: 1 }]);
});

describe('a refund', () => {
  test('is one’s own up to the limit, which counts per day; never above what was captured', async () => {
    const { rentalId, holdId } = await captured();
    await order(rentalId, refundOf(holdId, 4_000));
    const more = order(rentalId, refundOf(holdId, 1_001));
    await expect(more).rejects.toMatchObject({ type: 'limit-exceeded' });
    const other = await captured();
    const elsewhere = order(other.rentalId, refundOf(other.holdId, 1_001));
    await expect(elsewhere).rejects.toMatchObject({ type: 'limit-exceeded' });
    const all = order(rentalId, refundOf(holdId, 32_001, { limitMinor: 10_000_000 }));
    await expect(all).rejects.toMatchObject({ type: 'amount-too-high' });
  });

  test('above it needs an approval of exactly this amount, which is used up', async () => {
    const { rentalId, holdId } = await captured();
    const approvalId = uuidv7();
    await sql`insert into people.approval (id, kind, subject_type, subject_id, amount, reason,
        requested_by, requested_at, expires_at, status, decided_by, decided_at)
      values (${approvalId}, 'refund', 'rental', ${rentalId}, 20000, 'damage was ours', 'staff:a',
        now(), now() + interval '1 day', 'approved', 'staff:b', now())`.execute(t.owner);
    const refund = (minor: number) => order(rentalId, refundOf(holdId, minor, { approvalId }));
    await expect(refund(20_001)).rejects.toMatchObject({ type: 'four-eyes' });
    expect((await refund(20_000)).declined).toBeNull();
    await expect(refund(16_000)).rejects.toMatchObject({ type: 'four-eyes' });
  });
});

test('no entry is posted for a hold', async () => {
  const { rows } = await sql`select from accounting.entry`.execute(t.owner);
  expect(rows).toHaveLength(0);
});

test('open holds are listed by their end; the rows of other branches are not there', async () => {
  const short = await authorised(CARDS.expire);
  const { branchId } = await rentals.read(short.rentalId);
  const system = await openHolds(t.db, 'system:test', { limit: 3 });
  expect(system.rows[0]?.id).toBe(short.holdId);
  expect(system.more).toBe(true);
  const after = await openHolds(t.db, 'system:test', { limit: 200, after: short.holdId });
  expect(after.rows.map(({ id }) => id)).not.toContain(short.holdId);
  const at = (scope: string) =>
    openHolds(t.db, { principal: 'staff:x', scope }, { limit: 9, attention: false });
  expect((await at(`branches:${branchId}`)).rows).toMatchObject([{ id: short.holdId, branchId }]);
  expect((await at('branches:NONE')).rows).toEqual([]);
});

test('a notice is believed when the gateway signed it, lately', () => {
  const { readNotice } = simulatedGateway({ db: t.db, now, secret: SECRET });
  const body = JSON.stringify({ id: 'n-1', type: 'hold-ended', ref: 'sim_1', rentalId: null });
  const atS = Math.floor(Date.now() / 1_000);
  expect(readNotice(body, signNotice(SECRET, body, atS))).toMatchObject({ id: 'n-1' });
  for (const signature of [
    signNotice('another', body, atS),
    signNotice(SECRET, `${body} `, atS),
    signNotice(SECRET, body, atS - 301),
    '',
  ]) {
    expect(() => readNotice(body, signature)).toThrow(NoticeRefused);
  }
});
