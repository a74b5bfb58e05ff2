// Damages, tolls and fines on the renter's card: as agreed, what is open, once; and what closing waits for.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { refundPayment } from '../../db/commands/tender-refunds.ts';
import { receiveDeposit } from '../../db/commands/tenders.ts';
import type { CaseState } from '../../domain/damage-case.ts';
import { chargeUntil, lateChargeRefusal } from '../../domain/late-charge.ts';
import { afterHire } from '../../events/after-hire.ts';
import { parseEvent } from '../../events/contracts.ts';
import { CARDS } from '../../payments/simulated.ts';
import { guarded, tried } from '../support/broken-guards.ts';
import { type DamageDesk, DENT, damageDesk } from '../support/damage-desk.ts';
import { AGENT } from '../support/fleet.ts';
import { type Agreed, type LateDesk, lateDesk } from '../support/late-charges.ts';
import { type PaymentOrders, paymentOrders, refundOf } from '../support/payment-orders.ts';
import { backOf } from '../support/rental-desk.ts';
import { booksOf, entryOf, moneyFaults } from '../support/rental-money.ts';
import { someoneWaits } from '../support/waiting.ts';

let at: PaymentOrders;
let desk: DamageDesk;
let late: LateDesk;
beforeAll(async () => {
  at = await paymentOrders();
  desk = await damageDesk(at.t);
  late = lateDesk(at, desk);
});

test('needs a consent, a card, and lies in the window to its last millisecond', () => {
  const [returned, end] = ['2026-05-03T10:00:00.000Z', '2026-08-01T10:00:00.000Z'];
  expect(chargeUntil(returned, 90)).toBe(end);
  const facts = { consentedAt: returned, chargeUntil: end, hasCard: true, isDisputed: false };
  const why = (over: object, now = end) => lateChargeRefusal({ ...facts, ...over }, now);
  expect(why({})).toBeNull();
  expect(why({}, '2026-08-01T10:00:00.001Z')).toBe('window-over');
  expect(why({ chargeUntil: chargeUntil(null, 90) }, '2027-01-01T00:00:00Z')).toBeNull();
  expect(why({ consentedAt: null })).toBe('no-consent');
  expect(why({ isDisputed: true })).toBe('disputed');
  expect(why({ hasCard: false })).toBe('no-card');
});

describe('a damage that was agreed', () => {
  test.each([CARDS.approve, CARDS.timeout])(
    'is taken from %s once, whoever asks again',
    async (card) => {
      const { rentalId, invoiceId } = await late.damaged({ card });
      expect(await late.lateCharge(rentalId)).toMatchObject({ state: 'asked', source: 'damage' });
      expect(await late.collect(invoiceId)).toEqual(['authorise', 'capture']);
      expect(await late.collect(invoiceId)).toEqual([]);
      const done = { state: 'charged', chargedMinor: 97_000, reason: null };
      expect(await late.lateCharge(rentalId)).toMatchObject(done);
      const entry = await entryOf(at.t.owner, { id: rentalId }, 'payment.capture');
      expect(entry).toEqual(['1020 97000', '1200 -97000']);
      expect(await late.taken(rentalId)).toBe(97_000);
    },
  );

  test('killed after each order, the next run asks what became of it', async () => {
    const { rentalId, invoiceId } = await late.damaged();
    for (const kind of ['authorise', 'capture']) {
      const key = (await at.pay.orderLateCharge({ invoiceId })) ?? '';
      await at.pay.askGateway({ key });
      expect(await at.pay.orderLateCharge({ invoiceId })).toBe(key);
      expect(await late.step(invoiceId)).toBe(kind);
    }
    expect(await late.collect(invoiceId)).toEqual([]);
    expect(await late.taken(rentalId)).toBe(97_000);
  });

  test('is charged less what was paid meanwhile, and not at all once it is paid', async () => {
    const part = await late.damaged();
    await late.step(part.invoiceId, late.paid(part.invoiceId, 70_000));
    expect(await late.collect(part.invoiceId)).toEqual(['capture']);
    expect(await late.taken(part.rentalId)).toBe(27_000);
    const whole = await late.damaged();
    await late.step(whole.invoiceId, late.paid(whole.invoiceId, 97_000));
    expect(await late.collect(whole.invoiceId)).toEqual(['release']);
    expect(await late.lateCharge(whole.rentalId)).toMatchObject({ state: 'settled', reason: null });
    expect(await late.taken(whole.rentalId)).toBe(0);
  });

  test('paid while the card is being charged, the surplus is owed back and refunded', async () => {
    const { rentalId, invoiceId } = await late.damaged();
    await late.step(invoiceId);
    await late.step(invoiceId, late.paid(invoiceId, 90_000));
    await late.collect(invoiceId);
    const { authorisationId } = (await late.lateCharge(rentalId)) ?? {};
    const rental = await desk.rentals.read(rentalId);
    expect(await booksOf(at.t.owner, rental)).toMatchObject({ renter: 0, owed: -90_000, off: 0 });
    const refund = refundOf(authorisationId ?? '', 90_000, { limitMinor: 90_000 });
    expect((await at.order(rentalId, refund)).declined).toBeNull();
    expect(await booksOf(at.t.owner, rental)).toMatchObject({ renter: 0, owed: 0, off: 0 });
    expect(await late.taken(rentalId)).toBe(7_000);
  });

  test('held and not given, it is let go; not let go either, a person is called', async () => {
    const holds = async (id: string) => {
      const { rows } = await sql<{ hold: string }>`select concat_ws(' ', state, attention) as hold
        from rentals.authorisation where rental_id = ${id} and purpose = 'delayed'`.execute(
        at.t.owner,
      );
      return rows.map(({ hold }) => hold);
    };
    const ended = { state: 'invoice', reason: 'declined' };
    const one = await late.damaged();
    await late.step(one.invoiceId);
    expect(await late.step(one.invoiceId, undefined, at.refusing('capture'))).toBe('capture');
    expect(await late.collect(one.invoiceId)).toEqual(['release']);
    expect(await late.lateCharge(one.rentalId)).toMatchObject(ended);
    const two = await late.damaged();
    await late.step(two.invoiceId);
    await late.step(two.invoiceId, late.paid(two.invoiceId, 97_000), at.refusing('capture'));
    await late.step(two.invoiceId, undefined, at.refusing('release'));
    expect(await late.collect(two.invoiceId)).toEqual([]);
    expect(await late.lateCharge(two.rentalId)).toMatchObject(ended);
    expect([await holds(one.rentalId), await holds(two.rentalId)]).toEqual([
      ['released'],
      ['open not released'],
    ]);
  });

  test('declined, disputed, too late, without card or consent it stays an invoice', async () => {
    const why = async (agreed: Agreed, before?: (rentalId: string) => Promise<unknown>) => {
      const { rentalId, invoiceId } = await late.damaged(agreed);
      await before?.(rentalId);
      await late.collect(invoiceId);
      expect(await late.taken(rentalId)).toBe(agreed.card === null ? null : 0);
      const rental = await desk.rentals.read(rentalId);
      expect(await booksOf(at.t.owner, rental)).toMatchObject({ renter: 97_000 });
      return (await late.lateCharge(rentalId))?.reason;
    };
    expect(await why({ card: CARDS.renewDeclined })).toBe('declined');
    expect(await why({ card: null })).toBe('no-card');
    expect(await why({ hasConsent: false })).toBe('no-consent');
    const isLate = (id: string) =>
      sql`update rentals.late_charge set charge_until = now() - interval '1 s',
        version = version + 1 where rental_id = ${id}`.execute(at.t.owner);
    const unguarded = sql`alter table rentals.late_charge disable trigger late_charge_transition`;
    await unguarded.execute(at.t.owner);
    expect(await why({}, isLate)).toBe('window-over');
    await sql`alter table rentals.late_charge enable trigger late_charge_transition`.execute(
      at.t.owner,
    );
    const isDisputed = (id: string) =>
      sql`insert into rentals.dispute (id, rental_id, authorisation_id, gateway, gateway_ref,
          amount_minor, fee_minor, currency, opened_at)
        select ${uuidv7()}, rental_id, id, gateway, ${id}, 100, 0, 'EUR', now()
        from rentals.authorisation where rental_id = ${id}`.execute(at.t.owner);
    expect(await why({}, isDisputed)).toBe('disputed');
  });
});

describe('the rows refuse', () => {
  const refusal = (statement: ReturnType<typeof sql>, without: ReturnType<typeof sql>) =>
    tried(at.t.owner, (tx) => guarded(tx, () => statement.execute(tx), without));

  test('a delayed hold that nobody agreed to, and another step than the next', async () => {
    const { rentalId, invoiceId } = await late.damaged();
    await late.collect(invoiceId);
    const again = sql`insert into rentals.authorisation (id, rental_id, purpose, payer, gateway,
        payment_method, amount_minor, currency)
      values (${uuidv7()}, ${rentalId}, 'delayed', 'renter', 'simulated', 'sim_approve', 1, 'EUR')`;
    const agreed = sql`alter table rentals.authorisation disable trigger authorisation_agreed`;
    expect(await refusal(again, agreed)).toEqual(['authorisation_agreed', 'accepted']);
    const back = sql`update rentals.late_charge set state = 'asked', charged_minor = null,
      authorisation_id = null, ended_at = null, version = version + 1
      where invoice_id = ${invoiceId}`;
    const free = sql`alter table rentals.late_charge disable trigger late_charge_transition`;
    expect(await refusal(back, free)).toEqual(['late_charge_transition', 'accepted']);
  });

  test('to close while a damage is open; cash waits with it, and both go when it ends', async () => {
    const found = await desk.estimated();
    const rental = await desk.rentals.read(found.rentalId);
    const { id, entityId, branchId, customerId } = rental;
    const deposit = await receiveDeposit(at.t.db, AGENT, {
      ...{ id: uuidv7(), tender: 'bank-transfer', amountMinor: 200_000 },
      rental: { id, entityId, branchId, customerId, currency: 'EUR' },
    });
    await desk.rentals.record(rental, backOf(rental));
    const back = await desk.rentals.read(id);
    const close = () => desk.rentals.record(back, { type: 'close' });
    await expect(close()).rejects.toMatchObject({ code: 'damage-open' });
    const closed = sql`update rentals.rental set status = 'closed', version = version + 1
      where id = ${id}`;
    const without = sql`alter table rentals.rental disable trigger rental_closed_undamaged`;
    expect(await refusal(closed, without)).toEqual(['rental_closed_undamaged', 'accepted']);
    const held = (await booksOf(at.t.owner, back))?.held ?? 0;
    const give = (amountMinor: number) =>
      refundPayment(at.t.db, AGENT, {
        ...{ id: uuidv7(), paymentId: deposit.id, amountMinor, reason: 'back' },
        ...{ shiftId: null, approvalId: null, limitMinor: 0 },
      });
    const spare = held - 97_000;
    await expect(give(spare + 1)).rejects.toMatchObject({ code: 'damage-open' });
    await give(spare);
    const waiver = { reason: 'goodwill', approvalId: null, limitMinor: 100_000 } as const;
    await desk.sent(found, { type: 'waive', ...waiver });
    expect((await close()).type).toBe('closed');
    await give(97_000);
    expect(await booksOf(at.t.owner, back)).toMatchObject({ held: 0, off: 0 });
  });
});

test('a damage that is reported while the rental closes waits for that', async () => {
  const rental = await desk.rentals.handedOut();
  await desk.inspected(rental, 'out');
  const { id: inspectionId } = await desk.inspected(rental, 'in', { marks: [DENT] });
  let reported: Promise<CaseState> | undefined;
  await at.t.owner.transaction().execute(async (tx) => {
    await sql`select from rentals.rental where id = ${rental.id} for no key update`.execute(tx);
    reported = desk.reported(rental, inspectionId);
    await someoneWaits(at.t.owner);
  });
  expect((await reported)?.status).toBe('reported');
});

test('its facts tell the deposit to charge it, and the rental that its damage has ended', async () => {
  const { rentalId, invoiceId } = await late.damaged();
  const { rows } = await sql<{ event: string }>`select event from events.outbox
    where event like ${`%${rentalId}%`}
      and type ~ 'late-charge|damage-case.changed' order by id`.execute(at.t.owner);
  const told: object[] = [];
  const tell = async (what: object) => {
    told.push(what);
  };
  const events = rows.map(({ event }) => parseEvent(event));
  await at.t.owner
    .transaction()
    .execute((tx) => afterHire({ lateCharge: tell, damageEnded: tell }).handle(tx, events));
  expect(told).toEqual([{ rentalId, invoiceId }, { rentalId }]);
});

test('whatever happened, receivables are what documents say', async () => {
  expect(await moneyFaults(at.t.owner)).toEqual([]);
});
