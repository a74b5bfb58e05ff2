// What nobody expected of cards: refunds that come back, charges done after all, damages that are open.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { registerBranch } from '../../db/commands/branches.ts';
import { checkSandbox } from '../../db/commands/card-prepayments.ts';
import { tellWaitingCharges } from '../../db/commands/late-charge-upkeep.ts';
import { setPayers } from '../../db/commands/payer-shares.ts';
import { prepaymentsOf } from '../../db/queries/prepayments.ts';
import type { GatewayName } from '../../domain/payments/gateway.ts';
import type { RentalState } from '../../domain/rental.ts';
import { CARDS } from '../../payments/simulated.ts';
import { type DamageDesk, damageDesk } from '../support/damage-desk.ts';
import { AGENT, hoursFromNow } from '../support/fleet.ts';
import { type LateDesk, lateDesk } from '../support/late-charges.ts';
import { refundOf } from '../support/payment-orders.ts';
import { type RefundDesk, refundDesk } from '../support/refund-desk.ts';
import { backOf, OUT } from '../support/rental-desk.ts';
import { booksOf, companyOf, moneyFaults, prepay } from '../support/rental-money.ts';

let at: RefundDesk;
let damages: DamageDesk;
let late: LateDesk;
beforeAll(async () => {
  at = await refundDesk();
  damages = await damageDesk(at.t);
  late = lateDesk(at, damages);
});
afterAll(async () => {
  expect(await moneyFaults(at.t.owner)).toEqual([]);
});

/** 180.00; given up now it costs 100.00. */
const booked = () => at.money.book({ pickUpAt: hoursFromNow(10), dueAt: hoursFromNow(82) });
const CANCEL = { type: 'cancel', reason: 'customer' } as const;
const PAY_BACK = { kind: 'pay-back' } as const;
const LIMITS = { approvalId: null, limitMinor: 100_000 } as const;
const refusal = (error: { readonly code?: string; readonly type?: string }) =>
  error.code ?? error.type;
const attempt = (work: Promise<unknown>) => work.then(() => 'done', refusal);

async function charged({ id }: RentalState, amountMinor: number, card: string = CARDS.approve) {
  const prepaymentId = uuidv7();
  const step = { kind: 'prepay', prepaymentId, amountMinor, paymentMethod: card } as const;
  await at.order(id, step);
  return prepaymentId;
}
const toCard = (prepaymentId: string, amountMinor: number) =>
  ({ kind: 'return-prepaid', prepaymentId, amountMinor, reason: 'cancelled', ...LIMITS }) as const;
const owed = async (rental: RentalState) => (await booksOf(at.t.owner, rental))?.owed;
const state = async ({ id }: RentalState) => {
  const [paid] = await prepaymentsOf(at.t.db, AGENT, id);
  const { attention } = await at.pay.readDeposit({ rentalId: id });
  return [paid?.refundedMinor, attention];
};

test('what a card is asked to give back of a prepayment is no part of a deposit', async () => {
  const rental = await at.money.book();
  const { id: inMoney } = await prepay(at.t.db, rental.id, 100_00);
  await charged(rental, 80_00);
  await at.deposit(rental, 200_00);
  const out = await at.money.after(rental, OUT);
  const { branchId } = out;
  const keys = { type: 'checkIn', odometerKm: 2_050, fuelEighths: 8, branchId } as const;
  await at.money.after(await at.money.after(out, keys), { type: 'close' });
  const owedBack = -((await owed(rental)) ?? 0);
  expect(owedBack).toBeGreaterThan(80_00);
  const order = { key: uuidv7(), rentalId: rental.id, actor: at.agent, step: PAY_BACK };
  await at.pay.beginPayment(order);
  const left = owedBack - 80_00;
  expect(await attempt(at.givePrepaidBack(inMoney, left + 5))).toBe('amount-too-high');
  await at.givePrepaidBack(inMoney, left);
});

test('a refund that came back is owed again: by bank transfer, or by the card once more', async () => {
  const rental = await booked();
  const id = await charged(rental, 180_00, CARDS.refundFailed);
  await at.money.record(rental, CANCEL);
  expect(await attempt(at.givePrepaidBack(id, 10_00))).toBe('invalid-state');
  await at.order(rental.id, PAY_BACK, 'ended');
  expect([await owed(rental), await state(rental)]).toEqual([0, [80_00, null]]);
  await at.told((notices) => [...notices, ...notices]);
  expect([await owed(rental), await state(rental)]).toEqual([-80_00, [0, 'a refund came back']]);
  const lowered = sql`update rentals.prepayment set refunded_minor = 1, version = version + 1
    where id = ${id}`;
  await at.givePrepaidBack(id, 50_00);
  expect([await owed(rental), await state(rental)]).toEqual([-30_00, [50_00, null]]);
  await expect(lowered.execute(at.t.owner)).rejects.toThrow('step by step');
  expect(await attempt(at.givePrepaidBack(id, 30_01))).toBe('amount-too-high');
  await at.order(rental.id, toCard(id, 30_00));
  expect([await owed(rental), await state(rental)]).toEqual([0, [80_00, null]]);
  const again = sql`update rentals.payment_attempt set came_back_at = now() where state = 'done'
    and authorisation_id = ${id} and came_back_at is not null`;
  expect(await at.raw(again)).toBe('payment_attempt_transition');
});

test('a charge that was given up and done after all is in the books, and goes back', async () => {
  const rental = await booked();
  const key = uuidv7();
  const paid = { prepaymentId: uuidv7(), amountMinor: 180_00, paymentMethod: CARDS.approve };
  const step = { kind: 'prepay', ...paid } as const;
  await at.pay.beginPayment({ key, rentalId: rental.id, actor: at.agent, step });
  await at.pay.askGateway({ key });
  const outcome = { status: 'declined', code: 'never-received' } as const;
  await at.pay.settlePayment({ actor: at.agent, key, outcome });
  await at.money.record(rental, CANCEL);
  expect(await owed(rental)).toBe(100_00);
  await at.told((notices) => [...notices, ...notices]);
  expect(await owed(rental)).toBe(-80_00);
  expect(await state(rental)).toEqual([0, 'done after all: charge']);
  await at.order(rental.id, PAY_BACK);
  expect([await owed(rental), await state(rental)]).toEqual([0, [80_00, null]]);
});

test('a captured deposit waits for the end of a damage, as one in cash does', async () => {
  const found = await damages.estimated();
  const { rentalId } = found;
  const holdId = await at.captured(rentalId, 120_000);
  const refund = (amountMinor: number) =>
    at.order(rentalId, refundOf(holdId, amountMinor, { limitMinor: 200_000 }));
  expect(await attempt(refund(23_001))).toBe('damage-open');
  await refund(23_000);
  await damages.sent(found, { type: 'waive', reason: 'goodwill', ...LIMITS });
  expect((await refund(97_000)).declined).toBeNull();
});

test('a hold pays the hire, and no damage that nobody agreed to have taken from it', async () => {
  const { rentalId } = await late.damaged({ hasConsent: false });
  const rental = await damages.rentals.read(rentalId);
  await damages.rentals.record(rental, backOf(rental));
  const due = ((await owed(rental)) ?? 0) - 97_000;
  expect(due).toBeGreaterThan(0);
  await at.held(rentalId, 200_000);
  await at.order(rentalId, { kind: 'settle' });
  expect(await late.taken(rentalId)).toBe(due);
  const { rows } = await sql<{ late: boolean; open: number }>`select
      due_minor - settled_minor as open, l.id is not null as late
    from accounting.open_item o left join rentals.late_charge l using (invoice_id)
    where o.rental_id = ${rentalId} order by 2`.execute(at.t.owner);
  expect(rows).toEqual([
    { late: false, open: 0 },
    { late: true, open: 97_000 },
  ]);
});

test('a late charge of which nothing became within an hour is told of again', async () => {
  const { rentalId, invoiceId } = await late.damaged();
  await late.damaged();
  const told: object[] = [];
  const tell = () => tellWaitingCharges(at.t.db, async (one) => void told.push(one));
  expect(await tell()).toBe(0);
  const early = sql`update rentals.late_charge set asked_at = now() - interval '61 min',
    version = version + 1 where invoice_id = ${invoiceId}`;
  const guard = (what: string) =>
    sql`alter table rentals.late_charge ${sql.raw(what)} trigger late_charge_transition`.execute(
      at.t.owner,
    );
  await guard('disable');
  await early.execute(at.t.owner);
  await guard('enable');
  expect([await tell(), told]).toEqual([1, [{ rentalId, invoiceId }]]);
  await late.collect(invoiceId);
  expect(await tell()).toBe(0);
});

test('a partner’s card does not pay for somebody else', async () => {
  const rental = await booked();
  const [key, actor] = [uuidv7(), { kind: 'partner', id: uuidv7() } as const];
  const asked = { prepaymentId: uuidv7(), amountMinor: 10_00, paymentMethod: CARDS.approve };
  const step = { kind: 'prepay', ...asked } as const;
  const none = { covers: [], voucherNetMinor: null } as const;
  const payerId = await companyOf(at.t.owner, null);
  const shares = [
    { ...none, kind: 'renter', payerId: rental.customerId, percentBp: 2_500, isPrimary: false },
    { ...none, kind: 'corporate', payerId, percentBp: 0, isPrimary: true },
  ] as const;
  await setPayers(at.t.db, AGENT, { rentalId: rental.id, shares }, null);
  const begin = () => attempt(at.pay.beginPayment({ key, rentalId: rental.id, actor, step }));
  expect(await begin()).toBe('invalid-state');
});

test('only the simulated gateway is asked for a card of the sandbox', async () => {
  const id = `SB${uuidv7().slice(-4)}`.toUpperCase();
  const branch = { name: 'Sandbox', timeZone: 'Europe/Vienna', entityId: 'FC-SANDBOX' };
  await registerBranch(at.t.db, AGENT, { ...branch, id, sandbox: true });
  const { branchId: live } = at.money;
  const checked = (gateway: GatewayName, branchId: string) =>
    attempt(transact(at.t.db, 'rentals_rw', AGENT, (tx) => checkSandbox(tx, gateway, branchId)));
  const said = [checked('simulated', id), checked('stripe', id), checked('stripe', live)];
  expect(await Promise.all(said)).toEqual(['done', 'invalid-state', 'done']);
});
