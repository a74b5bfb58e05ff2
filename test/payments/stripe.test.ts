// Stripe behind the port, by HTTP against a server that answers as Stripe's own documents have it.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { NoticeRefused, type PaymentGateway } from '../../domain/payments/gateway.ts';
import { gatewayFrom } from '../../payments/from-env.ts';
import { stripeGateway } from '../../payments/stripe.ts';

type Asked = { readonly line: string; readonly key: string | undefined; readonly form: string };
type Answer = { readonly status: number; readonly body: object };

const CREATED = 1_800_000_000;
const CAPTURE_BEFORE = CREATED + 7 * 86_400;
const intent = {
  id: 'pi_1',
  object: 'payment_intent',
  status: 'requires_capture',
  amount: 50_000,
  amount_capturable: 50_000,
  created: CREATED,
  metadata: { order: 'r/authorise/1' },
  latest_charge: {
    id: 'ch_1',
    object: 'charge',
    payment_method_details: { card: { capture_before: CAPTURE_BEFORE } },
  },
};
const authorise = {
  kind: 'authorise',
  rentalId: 'r',
  paymentMethod: 'pm_card_visa',
  amountMinor: 50_000,
  currency: 'EUR',
} as const;
const onHold = { ref: 'pi_1', currency: 'EUR' } as const;

let server: Server;
let gateway: PaymentGateway;
let asked: Asked[] = [];
let answer: Answer = { status: 200, body: intent };

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const key = request.headers['idempotency-key'] as string | undefined;
      const form = decodeURIComponent(Buffer.concat(chunks).toString());
      asked.push({ line: `${request.method} ${request.url}`, key, form });
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer.body));
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const at = { host: '127.0.0.1', port };
  gateway = stripeGateway({ secretKey: 'sk_test_1', webhookSecret: 'whsec_1', server: at });
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  asked = [];
  answer = { status: 200, body: intent };
});

const refusal = (status: number, error: object) => ({ status, body: { error } });

test('a hold is made by hand capture, asks for increments and length, and ends as Stripe says', async () => {
  expect(await gateway.carryOut('r/authorise/1', authorise)).toEqual({
    status: 'done',
    ref: 'pi_1',
    heldAt: new Date(CREATED * 1_000).toISOString(),
    validUntil: new Date(CAPTURE_BEFORE * 1_000).toISOString(),
    overcapturePercent: 0,
  });
  expect(asked).toMatchObject([{ line: 'POST /v1/payment_intents', key: 'r/authorise/1' }]);
  for (const part of [
    'amount=50000',
    'currency=eur',
    'capture_method=manual',
    'confirm=true',
    'payment_method=pm_card_visa',
    'payment_method_options[card][request_extended_authorization]=if_available',
    'payment_method_options[card][request_incremental_authorization]=if_available',
  ]) {
    expect(asked[0]?.form).toContain(part);
  }
});

test('each order goes to its address with its own key', async () => {
  await gateway.carryOut('k-2', { kind: 'increase', amountMinor: 60_000, ...onHold });
  answer = { status: 200, body: { ...intent, status: 'succeeded' } };
  await gateway.carryOut('k-3', { kind: 'capture', amountMinor: 36_000, ...onHold });
  answer = { status: 200, body: { ...intent, status: 'canceled' } };
  await gateway.carryOut('k-4', { kind: 'release', ref: 'pi_1' });
  answer = { status: 200, body: { id: 're_1', object: 'refund' } };
  await gateway.carryOut('k-5', { kind: 'refund', amountMinor: 1_000, ...onHold });
  expect(asked.map(({ line, key }) => [line, key])).toEqual([
    ['POST /v1/payment_intents/pi_1/increment_authorization', 'k-2'],
    ['POST /v1/payment_intents/pi_1/capture', 'k-3'],
    ['POST /v1/payment_intents/pi_1/cancel', 'k-4'],
    ['POST /v1/refunds', 'k-5'],
  ]);
  expect(asked[1]?.form).toContain('amount_to_capture=36000');
});

test('declined is an outcome; what is not known is none, and is asked once', async () => {
  const error = { type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds' };
  answer = refusal(402, error);
  const declined = { status: 'declined', code: 'insufficient-funds' };
  expect(await gateway.carryOut('k-6', authorise)).toEqual(declined);
  asked = [];
  answer = refusal(500, { type: 'api_error', message: 'Something is wrong.' });
  await expect(gateway.carryOut('k-7', authorise)).rejects.toThrow();
  expect(asked).toHaveLength(1);
  answer = refusal(409, { type: 'invalid_request_error', code: 'idempotency_key_in_use' });
  await expect(gateway.carryOut('k-8', authorise)).rejects.toThrow();
});

test('what became of an order is looked for, and nothing is ordered', async () => {
  answer = { status: 200, body: { object: 'search_result', data: [intent] } };
  const found = await gateway.find('r/authorise/1', authorise);
  expect(found).toMatchObject({ status: 'done', ref: 'pi_1' });
  expect(await gateway.find('another', authorise)).toBeNull();
  answer = { status: 200, body: { ...intent, status: 'canceled' } };
  expect(await gateway.find('k', { kind: 'release', ref: 'pi_1' })).toMatchObject({ ref: 'pi_1' });
  const capture = { kind: 'capture', amountMinor: 1, ...onHold } as const;
  expect(await gateway.find('k', capture)).toBeNull();
  expect(asked.every(({ line }) => line.startsWith('GET '))).toBe(true);
});

test('a notice is read when Stripe signed it', () => {
  const { webhooks } = new Stripe('sk_test_1');
  const object = { ...intent, metadata: { rental: 'r' } };
  const event = { id: 'evt_1', object: 'event', type: 'payment_intent.canceled', data: { object } };
  const payload = JSON.stringify(event);
  const signature = webhooks.generateTestHeaderString({ payload, secret: 'whsec_1' });
  expect(gateway.readNotice(payload, signature)).toEqual({
    id: 'evt_1',
    type: 'hold-ended',
    ref: 'pi_1',
    rentalId: 'r',
  });
  const forged = webhooks.generateTestHeaderString({ payload, secret: 'whsec_2' });
  expect(() => gateway.readNotice(payload, forged)).toThrow(NoticeRefused);
  expect(() => gateway.readNotice(`${payload} `, signature)).toThrow(NoticeRefused);
});

test('in production a gateway is named, or none is opened', async () => {
  const db = {} as Parameters<typeof gatewayFrom>[1];
  expect(() => gatewayFrom({ NODE_ENV: 'production' }, db)).toThrow('PAYMENT_GATEWAY must name');
  expect(() => gatewayFrom({ PAYMENT_GATEWAY: 'stripe' }, db)).toThrow('STRIPE_SECRET_KEY');
});
