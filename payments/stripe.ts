// Stripe behind the port: manual capture, incremental and extended authorisation, signed webhooks.
import Stripe from 'stripe';
import type { GatewayOrder, GatewayOutcome, PaymentGateway } from '../domain/payments/gateway.ts';
import { isRefundLost, readStripeNotice } from './stripe-notices.ts';

/** Stripe answers a key from memory for at least 24 hours; an hour less is on the safe side. */
const KEY_MS = 23 * 3_600_000;
const TIMEOUT_MS = 30_000;
/** Where Stripe names no end: the shortest window of any network (decisions.md 16), once only. */
const UNNAMED_VALID_S = 2 * 86_400;
/**
 * A payment method that belongs to no Customer serves once, so the hold could never be renewed; and
 * one that does is refused without its Customer.
 */
const NOT_REUSABLE = 'not-reusable';
/** An error of these kinds says that the order was understood and not done. */
const REFUSALS: readonly string[] = ['StripeCardError', 'StripeInvalidRequestError'];

type Settings = {
  readonly secretKey: string;
  readonly webhookSecret: string;
  /** Another server than Stripe's own, for tests. */
  readonly server?: { readonly host: string; readonly port: number };
};

type Intent = Stripe.PaymentIntent;
type Order<K extends GatewayOrder['kind']> = Extract<GatewayOrder, { kind: K }>;

export function stripeGateway({ secretKey, webhookSecret, server }: Settings): PaymentGateway {
  const stripe = new Stripe(secretKey, {
    timeout: TIMEOUT_MS,
    // The workflow repeats, after it noted that it asks: the library must not do it behind it.
    maxNetworkRetries: 0,
    ...(server && { ...server, protocol: 'http' as const }),
  });
  return {
    name: 'stripe',
    keyMs: KEY_MS,
    carryOut: (key, order) => refusalsDeclined(() => carryOut(stripe, key, order)),
    // A fault in asking says nothing of what was ordered.
    find: (key, order) => find(stripe, key, order),
    signatureHeader: 'stripe-signature',
    readNotice: (body, signature) => readStripeNotice(stripe, body, signature, webhookSecret),
  };
}

/** What is not known is thrown on: timeouts, lost lines, Stripe's own faults, a key in use. */
async function refusalsDeclined(work: () => Promise<GatewayOutcome>): Promise<GatewayOutcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError) || !REFUSALS.includes(error.type)) {
      throw error;
    }
    if (error.code === 'idempotency_key_in_use') throw error;
    const code = error.decline_code ?? error.code ?? 'refused';
    return { status: 'declined', code: code.replaceAll('_', '-') };
  }
}

async function carryOut(stripe: Stripe, key: string, order: GatewayOrder): Promise<GatewayOutcome> {
  const once = { idempotencyKey: key };
  switch (order.kind) {
    case 'authorise': {
      const { customer } = await stripe.paymentMethods.retrieve(order.paymentMethod);
      if (customer === null) return { status: 'declined', code: NOT_REUSABLE };
      const intent = creation(key, order, idOf(customer));
      return heldBy(await stripe.paymentIntents.create(intent, once));
    }
    case 'charge': {
      // Used once, so nobody need have saved it; one that is saved is refused without its Customer.
      const { customer } = await stripe.paymentMethods.retrieve(order.paymentMethod);
      const intent = { ...payment(key, order), ...(customer && { customer: idOf(customer) }) };
      const cards = { capture_method: 'automatic', payment_method_types: ['card'] } as const;
      return chargedBy(await stripe.paymentIntents.create({ ...intent, ...cards }, once));
    }
    case 'increase': {
      const amount = { amount: order.amountMinor, metadata: { order: key }, ...WITH_CHARGE };
      return heldBy(await stripe.paymentIntents.incrementAuthorization(order.ref, amount, once));
    }
    case 'capture': {
      const amount = { amount_to_capture: order.amountMinor, metadata: { order: key } };
      return settledBy(await stripe.paymentIntents.capture(order.ref, amount, once));
    }
    case 'release':
      return settledBy(await stripe.paymentIntents.cancel(order.ref, {}, once));
    case 'refund': {
      const given = { payment_intent: order.ref, amount: order.amountMinor };
      const back = await stripe.refunds.create({ ...given, metadata: { order: key } }, once);
      return isRefundLost(back) ? { status: 'declined', code: 'refund-failed' } : done(order.ref);
    }
    default:
      return order satisfies never;
  }
}

/** The end of a hold is told by its charge. */
const WITH_CHARGE = { expand: ['latest_charge'] };

function creation(
  key: string,
  order: Order<'authorise'>,
  customer: string,
): Stripe.PaymentIntentCreateParams {
  return {
    ...payment(key, order),
    customer,
    capture_method: 'manual',
    off_session: true,
    payment_method_options: {
      card: {
        request_extended_authorization: 'if_available',
        request_incremental_authorization: 'if_available',
      },
    },
    ...WITH_CHARGE,
  };
}

/** Nobody is there to prove who he is: a card that asks for it is declined. */
function payment(
  key: string,
  { amountMinor: amount, currency, paymentMethod, rentalId }: Order<'authorise' | 'charge'>,
) {
  return {
    ...{ amount, currency: currency.toLowerCase(), payment_method: paymentMethod },
    ...{ confirm: true, error_on_requires_action: true },
    metadata: { order: key, rental: rentalId },
  };
}

function idOf(customer: string | { readonly id: string }): string {
  return typeof customer === 'string' ? customer : customer.id;
}

/** Looks, and orders nothing. Where it cannot tell, null: the same key is then sent again. */
async function find(
  stripe: Stripe,
  key: string,
  order: GatewayOrder,
): Promise<GatewayOutcome | null> {
  if (order.kind === 'authorise' || order.kind === 'charge') {
    const query = `metadata['order']:'${key}'`;
    const found = await stripe.paymentIntents.search({ query, expand: ['data.latest_charge'] });
    const intent = found.data.find(({ metadata }) => metadata['order'] === key);
    if (order.kind === 'authorise') {
      return intent?.status === 'requires_capture' ? heldBy(intent) : null;
    }
    const isTaken = intent?.status === 'succeeded' || intent?.status === 'processing';
    return intent && isTaken ? chargedBy(intent) : null;
  }
  if (order.kind === 'refund') {
    const list = stripe.refunds.list({ payment_intent: order.ref, limit: 100 });
    for await (const back of list) {
      if (back.metadata?.['order'] !== key) continue;
      return isRefundLost(back) ? { status: 'declined', code: 'refund-failed' } : done(order.ref);
    }
    return null;
  }
  const intent = await stripe.paymentIntents.retrieve(order.ref, WITH_CHARGE);
  return reached(intent, key, order);
}

function reached(
  intent: Intent,
  key: string,
  order: Exclude<GatewayOrder, { kind: 'authorise' | 'charge' | 'refund' }>,
): GatewayOutcome | null {
  const isOrders = intent.metadata['order'] === key;
  switch (order.kind) {
    case 'release':
      return intent.status === 'canceled' ? done(intent.id) : null;
    case 'capture':
      return intent.status === 'succeeded' && isOrders ? done(intent.id) : null;
    case 'increase':
      return isOrders && intent.amount === order.amountMinor ? heldBy(intent) : null;
    default:
      return order satisfies never;
  }
}

function heldBy(intent: Intent): GatewayOutcome {
  const { latest_charge: charge } = intent;
  const card = typeof charge === 'string' ? undefined : charge?.payment_method_details?.card;
  if (intent.status !== 'requires_capture') {
    return { status: 'declined', code: intent.status.replaceAll('_', '-') };
  }
  const until = card?.capture_before ?? intent.created + UNNAMED_VALID_S;
  const [held, most] = [intent.amount_capturable, card?.overcapture?.maximum_amount_capturable];
  const above = most && held > 0 ? Math.floor(((most - held) * 100) / held) : 0;
  return {
    status: 'done',
    ref: intent.id,
    heldAt: new Date(intent.created * 1_000).toISOString(),
    validUntil: new Date(until * 1_000).toISOString(),
    overcapturePercent: Math.min(100, Math.max(0, above)),
  };
}

/** Throws while the bank takes its time: then it is not known, and asked for again. */
function chargedBy({ id, status }: Intent): GatewayOutcome {
  if (status === 'processing') throw new Error(`Payment ${id} is being processed.`);
  const isCharged = status === 'succeeded';
  return isCharged ? done(id) : { status: 'declined', code: status.replaceAll('_', '-') };
}

function settledBy({ id, status }: Intent): GatewayOutcome {
  const isSettled = status === 'succeeded' || status === 'canceled';
  return isSettled ? done(id) : { status: 'declined', code: status.replaceAll('_', '-') };
}

function done(ref: string): GatewayOutcome {
  return { status: 'done', ref, heldAt: null, validUntil: null, overcapturePercent: 0 };
}
