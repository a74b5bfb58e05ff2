// Carries a deposit's orders out, one at a time: written down, asked until the outcome is known, settled.
import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { Actor } from '../../domain/actor.ts';
import { DomainError } from '../../domain/errors.ts';
import type { DepositState, PaymentStep } from '../../domain/payments/deposit.ts';
import { dbWrite, dbWriteAtOnce, gatewayCall } from './activity-options.ts';
import type { DepositBook } from './deposit-book.ts';
import { refusing, unwrapped } from './refusal.ts';
import { serializer } from './serialize.ts';

export const SYSTEM: Actor = { kind: 'system', id: 'deposit' };

const { readDeposit } = proxyLocalActivities<Activities>(dbWriteAtOnce);
const { beginPayment, orderLateCharge, settlePayment } = proxyActivities<Activities>(dbWrite);
const { askGateway } = proxyActivities<Activities>(gatewayCall);

/** `nothing`: there was nothing to ask the gateway for. */
type Ordered = 'done' | 'nothing' | { readonly declined: string };

export type DepositDesk = ReturnType<typeof openDepositDesk>;

export function openDepositDesk(rentalId: string, book: DepositBook) {
  const inTurn = serializer();

  /** What was begun by a run that was ended is finished before anything else is. */
  async function load(): Promise<void> {
    if (book.state() !== null) return;
    const { pendingKey } = book.became(await readDeposit({ rentalId }));
    if (pendingKey !== null) await resolve(SYSTEM, pendingKey);
  }

  async function reload(): Promise<void> {
    book.became(await readDeposit({ rentalId }));
  }

  async function resolve(actor: Actor, key: string): Promise<Ordered> {
    const outcome = await askGateway.executeWithOptions({ summary: key }, [{ key }]);
    const { deposit, declined } = await settlePayment({ actor, key, outcome });
    book.became(deposit);
    return declined === null ? 'done' : { declined };
  }

  async function order(actor: Actor, id: string, step: PaymentStep): Promise<Ordered> {
    const wanted = { key: `${rentalId}/${step.kind}/${id}`, rentalId, actor, step };
    // Runs of before were not told another key.
    const { isAsked, key = wanted.key } = await unwrapped(beginPayment(wanted));
    if (isAsked) return resolve(actor, key);
    await reload();
    return 'nothing';
  }

  async function pay(actor: Actor, id: string, step: PaymentStep): Promise<DepositState> {
    await load();
    await releaseReplaced();
    const ordered = await order(actor, id, step);
    if (typeof ordered === 'object') refusing(() => refuseDeclined(step, ordered.declined));
    await releaseReplaced();
    // Its rental may have ended meanwhile.
    if (step.kind === 'prepay') await payBack(actor, id);
    return book.state() as DepositState;
  }

  /**
   * Card by card what is owed back of prepayments; nothing before the rental is over. A card that
   * declines is not asked again by this order.
   */
  async function payBack(actor: Actor, id: string): Promise<void> {
    if ((await order(actor, id, { kind: 'pay-back' })) !== 'nothing') await payBack(actor, id);
  }

  /** The new hold stands: the old one goes. Where that fails the clock tries once more. */
  async function releaseReplaced(): Promise<void> {
    const replaced = book.state()?.replaced;
    if (!replaced) return;
    const step = { kind: 'release', authorisationId: replaced.id } as const;
    await order(SYSTEM, `replaced/${replaced.id}`, step);
  }

  /** A new hold before the old one goes; a rental that is over gives the old one back instead. */
  async function renew(authorisationId: string): Promise<void> {
    const renewed = await order(SYSTEM, authorisationId, { kind: 'renew', authorisationId });
    if (renewed === 'done') return releaseReplaced();
    if (renewed !== 'nothing') return;
    await order(SYSTEM, `over/${authorisationId}`, { kind: 'release', authorisationId });
  }

  /** Order by order, as the rows say: what was begun by another run is gone on with. */
  async function chargeLate(invoiceId: string): Promise<void> {
    await load();
    for (;;) {
      const key = await unwrapped(orderLateCharge({ invoiceId }));
      if (key === null) return reload();
      await resolve(SYSTEM, key);
    }
  }

  return {
    inTurn,
    load: () => inTurn(load),
    reload,
    payBack,
    pay: (actor: Actor, id: string, step: PaymentStep) => inTurn(() => pay(actor, id, step)),
    releaseReplaced,
    renew,
    chargeLate,
  };
}

function refuseDeclined({ kind }: PaymentStep, code: string): never {
  throw new DomainError('payment-declined', 'The card was declined: ask for another one.', {
    command: kind,
    declineCode: code,
  });
}
