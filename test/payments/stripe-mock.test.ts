// Stripe behind the port, against Stripe's own mock: what is asked is what its API knows.
import Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PaymentGateway } from '../../domain/payments/gateway.ts';
import { stripeGateway } from '../../payments/stripe.ts';
import { type StripeMock, stripeMock } from '../support/stripe-mock.ts';

let mock: StripeMock;
let gateway: PaymentGateway;
beforeAll(async () => {
  mock = await stripeMock();
  gateway = gatewayWith('sk_test_1');
});
afterAll(() => mock?.stop());

function gatewayWith(secretKey: string): PaymentGateway {
  return stripeGateway({ secretKey, webhookSecret: 'whsec_1', server: mock.server });
}

const onHold = { ref: 'pi_1', currency: 'EUR' } as const;
const orders = {
  authorise: {
    kind: 'authorise',
    rentalId: 'r',
    paymentMethod: 'pm_1',
    amountMinor: 50_000,
    currency: 'EUR',
  },
  charge: {
    kind: 'charge',
    rentalId: 'r',
    paymentMethod: 'pm_1',
    amountMinor: 12_000,
    currency: 'EUR',
  },
  increase: { kind: 'increase', amountMinor: 60_000, ...onHold },
  capture: { kind: 'capture', amountMinor: 36_000, ...onHold },
  refund: { kind: 'refund', amountMinor: 1_000, ...onHold },
  release: { kind: 'release', ref: 'pi_1' },
} as const;

test('the mock refuses what Stripe does not know, so that it proves something', async () => {
  const stripe = new Stripe('sk_test_1', { ...mock.server, protocol: 'http' });
  const known = { amount: 1_000, currency: 'eur' } as const;
  await stripe.paymentIntents.create(known);
  for (const wrong of [{ request_longer: 'yes' }, { capture_method: 'by hand' }]) {
    const params = { ...known, ...wrong } as Stripe.PaymentIntentCreateParams;
    const asking = stripe.paymentIntents.create(params);
    await expect(asking).rejects.toThrow(Stripe.errors.StripeInvalidRequestError);
  }
});

// Names within the card's options are the SDK's types to check: the mock lets any of them pass.
test('a hold is understood, and its end is read from its charge', async () => {
  expect(await gateway.carryOut('r/authorise/1', orders.authorise)).toMatchObject({
    status: 'done',
    ref: expect.stringMatching(/^pi_/),
    validUntil: new Date(mock.captureBefore * 1_000).toISOString(),
  });
});

test('a hold is increased, and money given back', async () => {
  expect(await gateway.carryOut('k-2', orders.increase)).toMatchObject({
    status: 'done',
    validUntil: new Date(mock.captureBefore * 1_000).toISOString(),
  });
  expect(await gateway.carryOut('k-3', orders.refund)).toMatchObject({ status: 'done' });
});

test('a capture, a release and a charge are understood: their answer is the state of the payment', async () => {
  // The mock keeps no state, so the payment stays held.
  const asFixed = { status: 'declined', code: 'requires-capture' };
  expect(await gateway.carryOut('k-4', orders.capture)).toEqual(asFixed);
  expect(await gateway.carryOut('k-5', orders.release)).toEqual(asFixed);
  expect(await gateway.carryOut('k-6', orders.charge)).toEqual(asFixed);
});

test.each(Object.values(orders))(
  'what became of an order is asked as Stripe takes it: $kind',
  async (order) => {
    expect(await gateway.find('k', order)).toBeNull();
  },
);

test('a key that is none is no decline of anybody’s card', async () => {
  for (const order of Object.values(orders)) {
    await expect(gatewayWith('sk_wrong').carryOut('k', order)).rejects.toThrow();
    await expect(gatewayWith('sk_wrong').find('k', order)).rejects.toThrow();
  }
});
