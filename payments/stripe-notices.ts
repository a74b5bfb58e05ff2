// Stripe's webhooks as notices of the port: its signature is checked, what is not ours is left out.
import type Stripe from 'stripe';
import {
  type GatewayNotice,
  type NoticedDispute,
  NoticeRefused,
} from '../domain/payments/gateway.ts';

/** Signed longer ago it may be somebody's repetition. */
const TOLERANCE_S = 300;

/** Throws `NoticeRefused`. */
export function readStripeNotice(
  stripe: Stripe,
  body: string,
  signature: string,
  secret: string,
): GatewayNotice {
  const event = verified(stripe, body, signature, secret);
  const { id } = event;
  switch (event.type) {
    case 'payment_intent.canceled':
      return { id, type: 'hold-ended', ref: event.data.object.id };
    case 'payment_intent.succeeded': {
      const { id: ref, metadata } = event.data.object;
      const key = metadata['order'];
      return key === undefined ? { id, type: 'other' } : { id, type: 'order-done', ref, key };
    }
    case 'refund.created':
    case 'refund.updated':
    case 'refund.failed':
      return ofRefund(id, event.data.object);
    case 'charge.dispute.created':
    case 'charge.dispute.closed':
      return ofDispute(id, event.data.object);
    default:
      return { id, type: 'other' };
  }
}

function verified(stripe: Stripe, body: string, signature: string, secret: string): Stripe.Event {
  try {
    return stripe.webhooks.constructEvent(body, signature, secret, TOLERANCE_S);
  } catch {
    throw new NoticeRefused();
  }
}

/** It was ordered, and no bank took it. */
export function isRefundLost({ status }: Pick<Stripe.Refund, 'status'>): boolean {
  return status === 'failed' || status === 'canceled';
}

function ofRefund(id: string, refund: Stripe.Refund): GatewayNotice {
  const [ref, key] = [idOf(refund.payment_intent), refund.metadata?.['order']];
  if (ref === null || key === undefined) return { id, type: 'other' };
  if (isRefundLost(refund)) {
    const code = (refund.failure_reason ?? 'refund-failed').replaceAll('_', '-');
    return { id, type: 'order-failed', ref, key, code };
  }
  return refund.status === 'succeeded'
    ? { id, type: 'order-done', ref, key }
    : { id, type: 'other' };
}

/** An inquiry takes no money yet: it becomes a dispute, which is told anew, or nothing. */
function ofDispute(id: string, dispute: Stripe.Dispute): GatewayNotice {
  const ref = idOf(dispute.payment_intent);
  if (ref === null || dispute.status.startsWith('warning_')) return { id, type: 'other' };
  const { status, balance_transactions: moves } = dispute;
  const fee = (isOf: (move: Stripe.BalanceTransaction) => boolean) =>
    moves.filter(isOf).reduce((sum, move) => sum + move.fee, 0);
  const told: NoticedDispute = {
    ref: dispute.id,
    outcome: status === 'won' ? 'won' : status === 'lost' ? 'lost' : 'open',
    amountMinor: dispute.amount,
    currency: dispute.currency.toUpperCase(),
    feeMinor: Math.max(
      0,
      fee(({ amount }) => amount < 0),
    ),
    feeReturnedMinor: Math.max(0, -fee(({ amount }) => amount > 0)),
  };
  return { id, type: 'disputed', ref, dispute: told };
}

function idOf(of: string | { readonly id: string } | null): string | null {
  return typeof of === 'string' ? of : (of?.id ?? null);
}
