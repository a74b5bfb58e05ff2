// A counter that charges damages to cards after the return, order by order as the workflow does.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { receivePayment } from '../../db/commands/tenders.ts';
import { recordConsent } from '../../db/commands/violation-terms.ts';
import { listLateCharges } from '../../db/queries/late-charges.ts';
import type { CaseState } from '../../domain/damage-case.ts';
import { CARDS } from '../../payments/simulated.ts';
import type { DamageDesk } from './damage-desk.ts';
import { AGENT } from './fleet.ts';
import type { PaymentOrders } from './payment-orders.ts';

export type Agreed = {
  readonly card?: string | null;
  readonly hasConsent?: boolean;
  /** Before it is charged. */
  readonly first?: (state: CaseState) => Promise<unknown>;
};

export type LateDesk = ReturnType<typeof lateDesk>;

type Orders = Pick<PaymentOrders, 't' | 'order' | 'pay' | 'agent'>;

export function lateDesk(at: Orders, desk: DamageDesk) {
  /** A damage of 970.00 that is charged; answers the rental and the document. */
  async function damaged({ card = CARDS.approve, hasConsent = true, first }: Agreed = {}) {
    const found = await desk.estimated();
    const { rentalId } = found;
    if (card !== null) {
      const hold = { kind: 'authorise', payer: 'renter', amountMinor: 5_000 } as const;
      await at.order(rentalId, { ...hold, paymentMethod: card });
      await at.order(rentalId, { kind: 'release' });
    }
    if (hasConsent) await recordConsent(at.t.db, AGENT, rentalId, new Date().toISOString());
    await first?.(found);
    const agreed = await desk.sent(found, { type: 'agree' });
    const { invoiceId } = await desk.sent(agreed, { type: 'charge' });
    return { rentalId, invoiceId: invoiceId ?? '' };
  }

  /** One order of the deposit's workflow; `then` happens while the gateway's answer is on its way. */
  async function step(
    invoiceId: string,
    then = async () => {},
    by = at.pay,
  ): Promise<string | null> {
    const key = await at.pay.orderLateCharge({ invoiceId });
    if (key === null) return null;
    const outcome = await by.askGateway({ key }).catch(() => by.askGateway({ key }));
    await then();
    await at.pay.settlePayment({ actor: at.agent, key, outcome });
    return key.slice(key.lastIndexOf('/') + 1);
  }

  async function collect(invoiceId: string): Promise<readonly string[]> {
    const orders: string[] = [];
    for (let next = await step(invoiceId); next !== null; next = await step(invoiceId)) {
      orders.push(next);
    }
    return orders;
  }

  async function lateCharge(rentalId: string) {
    const { rows } = await listLateCharges(at.t.db, AGENT, { rentalId, limit: 10 });
    return rows[0];
  }

  const paid = (invoiceId: string, amountMinor: number) => async () => {
    const by = { tender: 'bank-transfer', reference: 'R-1' } as const;
    await receivePayment(at.t.db, AGENT, { id: uuidv7(), invoiceId, amountMinor, ...by });
  };

  async function taken(rentalId: string) {
    const { rows } = await sql<{
      taken: number;
    }>`select sum(captured_minor - refunded_minor)::bigint
      as taken from simulated_gateway.hold where rental_id = ${rentalId}`.execute(at.t.owner);
    return rows[0]?.taken;
  }

  return { damaged, step, collect, lateCharge, paid, taken };
}
