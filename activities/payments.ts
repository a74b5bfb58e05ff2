// The effects of a deposit: an order is written down, asked of the gateway and settled, each by itself.
import { nextLateOrder } from '../db/commands/late-charges.ts';
import {
  type HoldMark,
  markHold,
  noteAsked,
  type Settled,
  settlePayment,
} from '../db/commands/payment-outcomes.ts';
import type { PaymentOrder } from '../db/commands/payment-steps.ts';
import { type Begun, beginPayment, readDeposit } from '../db/commands/payments.ts';
import { type Actor, principalOf } from '../domain/actor.ts';
import type { DepositState } from '../domain/payments/deposit.ts';
import type { GatewayOrder, GatewayOutcome, PaymentGateway } from '../domain/payments/gateway.ts';
import type { PaymentDeps } from './deps.ts';
import { failing } from './failures.ts';

export type SettleOrder = {
  readonly actor: Actor;
  readonly key: string;
  /** Null when it was settled before. */
  readonly outcome: GatewayOutcome | null;
};

export type MarkHold = {
  readonly actor: Actor;
  readonly key: string;
  readonly authorisationId: string;
  readonly as: HoldMark;
};

const SYSTEM = 'system:deposit';

/** Who may not give back a hold that has ended already is told that it has, and it is over. */
async function carriedOut(
  gateway: PaymentGateway,
  key: string,
  order: GatewayOrder,
): Promise<GatewayOutcome> {
  const outcome = await gateway.carryOut(key, order);
  if (outcome.status === 'done' || order.kind !== 'release') return outcome;
  return (await gateway.find(key, order)) ?? outcome;
}

export function createPaymentActivities({ db, gateway }: PaymentDeps) {
  return {
    readDeposit: ({ rentalId }: { readonly rentalId: string }): Promise<DepositState> =>
      failing(() => readDeposit(db, SYSTEM, rentalId)),

    beginPayment: (order: PaymentOrder): Promise<Begun> =>
      failing(() => beginPayment(db, principalOf(order.actor), gateway.name, order)),

    /**
     * Asks until the outcome is known, by retries: the order goes out once, and whoever asks again
     * looks for what became of it first. Null when it is settled.
     */
    askGateway: ({ key }: { readonly key: string }): Promise<GatewayOutcome | null> =>
      failing(async () => {
        const asked = await noteAsked(db, SYSTEM, key);
        if (asked === null) return null;
        const { order, firstAskedAt } = asked;
        if (asked.gateway !== gateway.name) throw new Error(`This needs ${asked.gateway}.`);
        if (firstAskedAt === null) return carriedOut(gateway, key, order);
        const known = await gateway.find(key, order);
        if (known !== null) return known;
        // It forgot the key by now: to order anew could charge twice, so it is given up instead.
        const isOld = Date.now() - Date.parse(firstAskedAt) > gateway.keyMs;
        return isOld
          ? { status: 'declined', code: 'never-received' }
          : carriedOut(gateway, key, order);
      }),

    /** Null when the document is charged, settled otherwise, or stays an invoice. */
    orderLateCharge: ({ invoiceId }: { readonly invoiceId: string }): Promise<string | null> =>
      failing(() => nextLateOrder(db, SYSTEM, gateway.name, invoiceId)),

    settlePayment: ({ actor, key, outcome }: SettleOrder): Promise<Settled> =>
      failing(() => settlePayment(db, principalOf(actor), key, outcome)),

    markHold: ({ actor, ...given }: MarkHold): Promise<DepositState> =>
      failing(() => markHold(db, principalOf(actor), given)),
  };
}
