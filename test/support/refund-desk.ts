// A counter at which money is taken, held, turned into prepayments, and asked back, in few words.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { transact } from '../../db/client.ts';
import { issueCreditNote } from '../../db/commands/credit-notes.ts';
import { refundPrepayment } from '../../db/commands/prepayment-refunds.ts';
import { receivePrepayment } from '../../db/commands/prepayments.ts';
import { refundPayment } from '../../db/commands/tender-refunds.ts';
import { receiveDeposit, receivePayment } from '../../db/commands/tenders.ts';
import type { Payer } from '../../domain/payments/deposit.ts';
import type { RentalState } from '../../domain/rental.ts';
import { CARDS } from '../../payments/simulated.ts';
import type { TestDatabase } from './database.ts';
import { AGENT, hoursFromNow } from './fleet.ts';
import { type PaymentOrders, paymentOrders, refundOf } from './payment-orders.ts';
import { damaged, moneyDesk } from './rental-money.ts';

const limits = { shiftId: null, approvalId: null, limitMinor: 100_000 };

export type RefundDesk = Awaited<ReturnType<typeof refundDesk>>;

/** Call it in `beforeAll`. */
export async function refundDesk() {
  const orders = await paymentOrders();
  const money = await moneyDesk(orders.t);
  return { ...orders, money, ...taking(orders.t), ...givingBack(orders), ...onCards(orders) };
}

/** All by bank transfer. */
function taking({ db, owner }: TestDatabase) {
  const bank = { tender: 'bank-transfer' } as const;
  return {
    deposit: ({ id, branchId, customerId }: RentalState, amountMinor: number) => {
      const rental = { id, entityId: 'FC-AT', branchId, customerId, currency: 'EUR' };
      return receiveDeposit(db, AGENT, { ...bank, id: uuidv7(), amountMinor, rental });
    },
    prepaidOutOfDeposit: ({ id: rentalId }: RentalState, amountMinor: number) =>
      receivePrepayment(db, AGENT, {
        ...{ id: uuidv7(), rentalId, amountMinor, tender: 'deposit', at: hoursFromNow(0) },
      }),
    /** A document of the rental that this customer owes; answers it. */
    owing: async (rental: RentalState, customerId: string, amountMinor: number) => {
      await damaged(db, { ...rental, customerId }, amountMinor);
      const { rows } = await sql<{ id: string }>`select invoice_id as id
        from accounting.open_item where rental_id = ${rental.id}
        order by invoice_id desc limit 1`.execute(owner);
      return rows[0]?.id ?? '';
    },
    paid: (invoiceId: string, amountMinor: number, over: { readonly tender?: 'account' } = {}) =>
      receivePayment(db, AGENT, { ...bank, id: uuidv7(), invoiceId, amountMinor, ...over }),
    credited: (invoiceId: string) =>
      transact(db, 'accounting_rw', AGENT, (tx) =>
        issueCreditNote(tx, { key: uuidv7(), invoiceId, at: hoursFromNow(0) }),
      ),
  };
}

function givingBack({ t: { db }, agent }: PaymentOrders) {
  return {
    giveBack: (paymentId: string, amountMinor: number) =>
      refundPayment(db, `staff:${agent.id}`, {
        ...{ id: uuidv7(), paymentId, amountMinor, reason: 'asked for it', ...limits },
      }),
    givePrepaidBack: (prepaymentId: string, amountMinor: number) =>
      refundPrepayment(db, AGENT, {
        ...{ id: uuidv7(), prepaymentId, amountMinor, actor: agent, reason: 'cancelled' },
        ...limits,
      }),
  };
}

function onCards({ order }: PaymentOrders) {
  /** On a card of that payer; answers the hold. */
  const held = async (
    rentalId: string,
    amountMinor: number,
    payer: Payer = 'renter',
    paymentMethod: string = CARDS.approve,
  ): Promise<string> => {
    const card = { payer, amountMinor, paymentMethod };
    const { deposit } = await order(rentalId, { kind: 'authorise', ...card });
    return deposit.current?.id ?? '';
  };
  const captured = async (rentalId: string, amountMinor: number): Promise<string> => {
    const holdId = await held(rentalId, amountMinor);
    await order(rentalId, { kind: 'capture', amountMinor });
    return holdId;
  };
  return { held, captured };
}

export function fullRefund(holdId: string, amountMinor: number) {
  return refundOf(holdId, amountMinor, { limitMinor: 100_000 });
}
