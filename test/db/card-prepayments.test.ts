// Prepayments that a card is charged for: once, in the books with its document, and back to the card.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { prepaymentsOf } from '../../db/queries/prepayments.ts';
import type { RentalState } from '../../domain/rental.ts';
import { CARDS } from '../../payments/simulated.ts';
import { AGENT, hoursFromNow } from '../support/fleet.ts';
import { type PaymentOrders, paymentOrders } from '../support/payment-orders.ts';
import { OUT } from '../support/rental-desk.ts';
import {
  entryOf,
  type MoneyDesk,
  moneyDesk,
  moneyFaults,
  prepay,
} from '../support/rental-money.ts';

let at: PaymentOrders;
let money: MoneyDesk;
beforeAll(async () => {
  at = await paymentOrders();
  money = await moneyDesk(at.t);
});

/** 150.00 + 30.00, ten hours ahead. */
const booked = () => money.book({ pickUpAt: hoursFromNow(10), dueAt: hoursFromNow(82) });
const prepayment = (amountMinor: number, card: string = CARDS.approve, prepaymentId = uuidv7()) =>
  ({ kind: 'prepay', prepaymentId, amountMinor, paymentMethod: card }) as const;
const CANCEL = { type: 'cancel', reason: 'customer' } as const;
const PAY_BACK = { kind: 'pay-back' } as const;

/** The code of the refusal, by a command or by an activity. */
const refusal = (error: { readonly code?: string; readonly type?: string }) =>
  error.code ?? error.type;
const attempt = (work: Promise<unknown>) => work.then(() => 'done', refusal);

const paid = ({ id }: Pick<RentalState, 'id'>) => prepaymentsOf(at.t.db, AGENT, id);
const owed = async ({ id }: Pick<RentalState, 'id'>): Promise<number> => {
  const { rows } = await sql<{ sum: number }>`select coalesce(sum(l.amount), 0)::bigint as sum
    from accounting.entry e join accounting.line l on l.entry_id = e.id
    join accounting.account a on a.id = l.account_id
    where e.rental_id = ${id} and a.code = '1200'`.execute(at.t.owner);
  return rows[0]?.sum ?? 0;
};
const atGateway = async ({ id }: Pick<RentalState, 'id'>): Promise<readonly number[][]> => {
  const { rows } = await sql<{ taken: number; back: number }>`select captured_minor as taken,
      refunded_minor as back from simulated_gateway.hold where rental_id = ${id}`.execute(
    at.t.owner,
  );
  return rows.map(({ taken, back }) => [taken, back]);
};
const attention = async ({ id: rentalId }: Pick<RentalState, 'id'>) =>
  (await at.pay.readDeposit({ rentalId })).attention;
const returning = (prepaymentId: string, amountMinor: number) => {
  const limits = { approvalId: null, limitMinor: 100_000 };
  return {
    kind: 'return-prepaid',
    prepaymentId,
    amountMinor,
    reason: 'cancelled',
    ...limits,
  } as const;
};

test('a card is charged once, and the books have its prepayment with a document', async () => {
  const rental = await booked();
  const step = prepayment(120_00);
  const key = uuidv7();
  for (let n = 0; n < 2; n += 1) await at.order(rental.id, step, key);
  expect(await entryOf(at.t.owner, rental, 'rental.prepayment')).toEqual([
    '1020 12000',
    '2200 -2000',
    '2100 -10000',
  ]);
  const made = { id: step.prepaymentId, tender: 'gateway', amountMinor: 120_00, refundedMinor: 0 };
  expect(await paid(rental)).toMatchObject([made]);
  expect((await paid(rental))[0]?.invoiceNumber).toMatch(/^PRE-/);
  // What is told of it changes nothing more, and no deposit is secured by it.
  expect(await at.told((notices) => [...notices, ...notices])).not.toContain(rental.id);
  expect(await at.pay.readDeposit({ rentalId: rental.id })).toMatchObject({ current: null });
  expect(await attempt(at.order(rental.id, prepayment(60_01)))).toBe('amount-too-high');
  await at.order(rental.id, prepayment(60_00));
  expect(await atGateway(rental)).toEqual([
    [120_00, 0],
    [60_00, 0],
  ]);
});

test('declined, nothing is posted; whoever tries cards out is stopped', async () => {
  const rental = await booked();
  for (let n = 0; n < 5; n += 1) {
    const { declined } = await at.order(rental.id, prepayment(10_00, CARDS.decline));
    expect(declined).toBe('insufficient-funds');
  }
  expect([await paid(rental), await atGateway(rental)]).toEqual([[], []]);
  expect(await attempt(at.order(rental.id, prepayment(10_00)))).toBe('payment-declined');
});

describe('an answer that is lost', () => {
  test.each([CARDS.timeout, CARDS.lost])('by %s is asked for: one charge', async (card) => {
    const rental = await booked();
    await at.order(rental.id, prepayment(120_00, card));
    expect([(await paid(rental)).length, await atGateway(rental)]).toEqual([1, [[120_00, 0]]]);
  });

  test('with its worker, between the charge and the commit: one charge', async () => {
    const rental = await booked();
    await at.lost(rental.id, prepayment(120_00));
    expect([(await paid(rental)).length, await atGateway(rental)]).toEqual([1, [[120_00, 0]]]);
  });

  test('is told by a notice; until then nothing else is prepaid', async () => {
    const rental = await booked();
    const [key, step] = [uuidv7(), prepayment(120_00)];
    await at.pay.beginPayment({ key, rentalId: rental.id, actor: at.agent, step });
    expect(await attempt(prepay(at.t.db, rental.id, 10_00))).toBe('payment-unsettled');
    expect(await attempt(at.order(rental.id, prepayment(10_00)))).toBe('payment-unsettled');
    await at.pay.askGateway({ key });
    const heard = await at.told((notices) => [...notices, ...notices]);
    expect(heard.filter((one) => one === rental.id)).toHaveLength(2);
    expect(await at.pay.askGateway({ key })).toBeNull();
    await at.pay.settlePayment({ actor: at.agent, key, outcome: null });
    expect(await paid(rental)).toMatchObject([{ id: step.prepaymentId, amountMinor: 120_00 }]);
  });
});

test('of two charges at once for the same rest, one is asked for', async () => {
  const rental = await booked();
  const begun = [1, 2].map(() => {
    const asked = { key: uuidv7(), rentalId: rental.id, actor: at.agent };
    return attempt(at.pay.beginPayment({ ...asked, step: prepayment(180_00) }));
  });
  expect((await Promise.all(begun)).toSorted()).toEqual(['done', 'payment-unsettled']);
});

describe('what is owed back goes back to the card', () => {
  test('of a cancelled rental: credit note, fee, and the rest by itself, once', async () => {
    const rental = await booked();
    const prepaymentId = uuidv7();
    await at.order(rental.id, prepayment(180_00, CARDS.timeout, prepaymentId));
    expect(await attempt(at.order(rental.id, returning(prepaymentId, 1)))).toBe('amount-too-high');
    expect((await at.order(rental.id, PAY_BACK)).declined).toBeNull();
    expect(await money.record(rental, CANCEL)).toMatchObject({ isOwedBack: true });
    expect(await entryOf(at.t.owner, rental, 'rental.unused-prepayment')).toEqual([
      '2100 15000',
      '2200 3000',
      '1200 -18000',
    ]);
    expect(await owed(rental)).toBe(-80_00);
    for (let n = 0; n < 2; n += 1) await at.order(rental.id, PAY_BACK, 'ended-at-2');
    expect(await entryOf(at.t.owner, rental, 'payment.refund')).toEqual([
      '1200 8000',
      '1020 -8000',
    ]);
    expect(await paid(rental)).toMatchObject([{ refundedMinor: 80_00 }]);
    expect([await atGateway(rental), await owed(rental)]).toEqual([[[180_00, 80_00]], 0]);
  });

  test('also when the rental ended while the card was asked', async () => {
    const rental = await booked();
    const [key, step] = [uuidv7(), prepayment(180_00)];
    await at.pay.beginPayment({ key, rentalId: rental.id, actor: at.agent, step });
    const outcome = await at.pay.askGateway({ key });
    expect(await money.record(rental, CANCEL)).toMatchObject({ isHeld: true });
    await at.pay.settlePayment({ actor: at.agent, key, outcome });
    await at.order(rental.id, PAY_BACK);
    expect([await atGateway(rental), await owed(rental)]).toEqual([[[180_00, 80_00]], 0]);
  });

  test('of one that was shorter than paid for, once it is closed', async () => {
    const rental = await money.book();
    await at.order(rental.id, prepayment(180_00));
    const out = await money.after(rental, OUT);
    const { branchId } = out;
    const keys = { type: 'checkIn', odometerKm: 2_050, fuelEighths: 8, branchId } as const;
    const back = await money.after(out, keys);
    expect((await at.order(rental.id, PAY_BACK)).deposit.pendingKey).toBeNull();
    expect(await atGateway(rental)).toEqual([[180_00, 0]]);
    expect(await money.record(back, { type: 'close' })).toMatchObject({ isOwedBack: true });
    await at.order(rental.id, PAY_BACK);
    expect([await atGateway(rental), await owed(rental)]).toEqual([[[180_00, 120_00]], 0]);
  });

  test('by a person within a limit, never beside what is under way, never in cash', async () => {
    const rental = await booked();
    const prepaymentId = uuidv7();
    await at.order(rental.id, prepayment(180_00, CARDS.approve, prepaymentId));
    await money.record(rental, CANCEL);
    const over = { ...returning(prepaymentId, 50_00), limitMinor: 49_99 };
    expect(await attempt(at.order(rental.id, over))).toBe('limit-exceeded');
    const key = uuidv7();
    const step = returning(prepaymentId, 50_00);
    await at.pay.beginPayment({ key, rentalId: rental.id, actor: at.agent, step });
    expect(await attempt(at.order(rental.id, returning(prepaymentId, 30_01)))).toBe(
      'amount-too-high',
    );
    // Whoever pays back next asks for what is under way first.
    await at.order(rental.id, PAY_BACK);
    await at.order(rental.id, PAY_BACK);
    expect([await atGateway(rental), await owed(rental)]).toEqual([[[180_00, 80_00]], 0]);
  });

  test('or a person is called: declined, or come back days later', async () => {
    const rental = await booked();
    await at.order(rental.id, prepayment(180_00, CARDS.refundFailed));
    await money.record(rental, CANCEL);
    const refused = await at.order(rental.id, PAY_BACK, 'ended', at.refusing('refund'));
    expect(refused.deposit.attention).toBe('not paid back: not-now');
    // That order does not ask this card again; another one does.
    expect((await at.order(rental.id, PAY_BACK, 'ended')).deposit.pendingKey).toBeNull();
    expect(await owed(rental)).toBe(-80_00);
    await at.order(rental.id, PAY_BACK);
    expect(await owed(rental)).toBe(0);
    expect(await attention(rental)).toBeNull();
    await at.told();
    expect([await owed(rental), await attention(rental)]).toEqual([-80_00, 'a refund came back']);
  });

  test('or was given up, and is told of after all: a person is called', async () => {
    const rental = await booked();
    const [key, step] = [uuidv7(), prepayment(10_00)];
    await at.pay.beginPayment({ key, rentalId: rental.id, actor: at.agent, step });
    await at.pay.askGateway({ key });
    const outcome = { status: 'declined', code: 'never-received' } as const;
    await at.pay.settlePayment({ actor: at.agent, key, outcome });
    await at.told();
    expect(await attention(rental)).toBe('done after all: charge');
  });
});

test('the rows refuse a charge that holds, a hold that charges, and a prepayment of nobody’s', async () => {
  const { holdId } = await at.authorised();
  const rental = await booked();
  const prepaymentId = uuidv7();
  await at.order(rental.id, prepayment(50_00, CARDS.approve, prepaymentId));
  const ordered = (id: string, kind: string, taxes: string | null) =>
    at.raw(sql`insert into rentals.payment_attempt (id, authorisation_id, kind, amount_minor, taxes)
      values (${uuidv7()}, ${id}, ${kind}, 5000, ${taxes})`);
  expect(await ordered(holdId, 'charge', '[]')).toBe('payment_attempt_allowed');
  expect(await ordered(prepaymentId, 'charge', '[]')).toBe('payment_attempt_allowed');
  expect(await ordered(prepaymentId, 'capture', null)).toBe('payment_attempt_allowed');
  const other = sql`update rentals.prepayment set refunded_minor = 1, version = version + 1,
    tender = 'bank-transfer' where id = ${prepaymentId}`;
  expect(await at.raw(other)).toBe('prepayment_names_its_charge');
});

test('no rental’s books are other than its documents say', async () => {
  expect(await moneyFaults(at.t.owner)).toEqual([]);
});
