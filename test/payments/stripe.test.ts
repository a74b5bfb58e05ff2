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
  paymentMethod: 'pm_1',
  amountMinor: 50_000,
  currency: 'EUR',
} as const;
const onHold = { ref: 'pi_1', currency: 'EUR' } as const;

let server: Server;
let gateway: PaymentGateway;
let asked: Asked[] = [];
let answer: Answer = { status: 200, body: intent };
let customer: string | null = 'cus_1';

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const key = request.headers['idempotency-key'] as string | undefined;
      const form = decodeURIComponent(Buffer.concat(chunks).toString());
      const line = `${request.method} ${request.url}`;
      asked.push({ line, key, form });
      const card = { id: 'pm_1', object: 'payment_method', customer };
      const isCard = line.startsWith('GET /v1/payment_methods/');
      const { status, body } = isCard ? { status: 200, body: card } : answer;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
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
  customer = 'cus_1';
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
  expect(asked).toMatchObject([
    { line: 'GET /v1/payment_methods/pm_1' },
    { line: 'POST /v1/payment_intents', key: 'r/authorise/1' },
  ]);
  for (const part of [
    'amount=50000',
    'currency=eur',
    'capture_method=manual',
    'confirm=true',
    'customer=cus_1',
    'payment_method=pm_1',
    'payment_method_options[card][request_extended_authorization]=if_available',
    'payment_method_options[card][request_incremental_authorization]=if_available',
  ]) {
    expect(asked[1]?.form).toContain(part);
  }
});

test('a card that nobody saved serves once, so it holds nothing', async () => {
  customer = null;
  const refused = { status: 'declined', code: 'not-reusable' };
  expect(await gateway.carryOut('r/authorise/1', authorise)).toEqual(refused);
  expect(asked).toHaveLength(1);
});

test('a charge is taken at once, also from a card that nobody saved; in process it is not known', async () => {
  const charge = { ...authorise, kind: 'charge' } as const;
  const taken = { ...intent, status: 'succeeded', metadata: { order: 'r/prepay/1' } };
  answer = { status: 200, body: taken };
  const done = { status: 'done', ref: 'pi_1' };
  for (const saved of ['cus_1', null]) {
    customer = saved;
    expect(await gateway.carryOut('r/prepay/1', charge)).toMatchObject(done);
    const sent = asked.at(-1);
    expect(sent).toMatchObject({ line: 'POST /v1/payment_intents', key: 'r/prepay/1' });
    expect(sent?.form).toContain('capture_method=automatic');
    expect(sent?.form.includes('customer=')).toBe(saved !== null);
  }
  answer = { status: 200, body: { object: 'search_result', data: [taken] } };
  expect(await gateway.find('r/prepay/1', charge)).toMatchObject(done);
  expect(await gateway.find('r/prepay/2', charge)).toBeNull();
  const slow = { ...taken, status: 'processing' };
  answer = { status: 200, body: slow };
  await expect(gateway.carryOut('r/prepay/1', charge)).rejects.toThrow('being processed');
  answer = { status: 200, body: { object: 'search_result', data: [slow] } };
  await expect(gateway.find('r/prepay/1', charge)).rejects.toThrow('being processed');
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
  expect(asked.filter(({ line }) => line.startsWith('POST '))).toHaveLength(1);
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

test('a fault in asking what became of an order is no answer', async () => {
  answer = refusal(400, { type: 'invalid_request_error', code: 'parameter_invalid_string' });
  for (const order of [authorise, { kind: 'release', ref: 'pi_1' }] as const) {
    await expect(gateway.find('k', order)).rejects.toThrow();
  }
});

const { webhooks } = new Stripe('sk_test_1');

/** As Stripe sends it, signed. */
function sent(type: string, object: object, secret = 'whsec_1', ageS = 0) {
  const payload = JSON.stringify({ id: 'evt_1', object: 'event', type, data: { object } });
  const timestamp = Math.floor(Date.now() / 1_000) - ageS;
  return [payload, webhooks.generateTestHeaderString({ payload, secret, timestamp })] as const;
}

test('a notice is read when Stripe signed it, lately', () => {
  const ended = { id: 'evt_1', type: 'hold-ended', ref: 'pi_1' };
  const [payload, signature] = sent('payment_intent.canceled', intent);
  expect(gateway.readNotice(payload, signature)).toEqual(ended);
  expect(() => gateway.readNotice(`${payload} `, signature)).toThrow(NoticeRefused);
  for (const [secret, ageS] of [['whsec_2'], ['whsec_1', 301]] as const) {
    const refused = sent('payment_intent.canceled', intent, secret, ageS);
    expect(() => gateway.readNotice(...refused)).toThrow(NoticeRefused);
  }
  const known = sent('payment_intent.canceled', intent, 'whsec_1', 290);
  expect(gateway.readNotice(...known)).toEqual(ended);
});

test('what became of orders is told by the key that they carry; what carries none is not ours', () => {
  const told = (type: string, object: object) => gateway.readNotice(...sent(type, object));
  const order = { id: 'evt_1', ref: 'pi_1', key: 'r/authorise/1' };
  const refund = { id: 're_1', payment_intent: 'pi_1', metadata: { order: 'r/authorise/1' } };
  expect(told('payment_intent.succeeded', intent)).toEqual({ ...order, type: 'order-done' });
  const done = { ...refund, status: 'succeeded' };
  expect(told('refund.updated', done)).toEqual({ ...order, type: 'order-done' });
  const lost = { ...refund, status: 'failed', failure_reason: 'lost_or_stolen_card' };
  const failed = { ...order, type: 'order-failed', code: 'lost-or-stolen-card' };
  expect(told('refund.failed', lost)).toEqual(failed);
  const other = { id: 'evt_1', type: 'other' };
  expect(told('refund.created', { ...refund, status: 'pending' })).toEqual(other);
  expect(told('refund.updated', { ...done, metadata: {} })).toEqual(other);
  expect(told('payment_intent.succeeded', { ...intent, metadata: {} })).toEqual(other);
  expect(told('customer.created', { id: 'cus_1' })).toEqual(other);
});

test('a dispute is told with its fee, and a mere inquiry is none', () => {
  const taken = { amount: -36_000, fee: 1_500 };
  const dispute = {
    ...{ id: 'dp_1', payment_intent: 'pi_1', amount: 36_000, currency: 'eur' },
    ...{ status: 'needs_response', balance_transactions: [taken] },
  };
  const told = (over: object) =>
    gateway.readNotice(...sent('charge.dispute.closed', { ...dispute, ...over }));
  const amounts = { amountMinor: 36_000, currency: 'EUR', feeMinor: 1_500, feeReturnedMinor: 0 };
  const notice = (over: object) => ({
    ...{ id: 'evt_1', type: 'disputed', ref: 'pi_1' },
    dispute: { ref: 'dp_1', outcome: 'open', ...amounts, ...over },
  });
  expect(told({})).toEqual(notice({}));
  expect(told({ status: 'lost' })).toEqual(notice({ outcome: 'lost' }));
  const back = { amount: 36_000, fee: -1_500 };
  const won = { status: 'won', balance_transactions: [taken, back] };
  expect(told(won)).toEqual(notice({ outcome: 'won', feeReturnedMinor: 1_500 }));
  const inquiry = { status: 'warning_needs_response', balance_transactions: [] };
  expect(told(inquiry)).toEqual({ id: 'evt_1', type: 'other' });
});

test('in production a gateway is named, or none is opened', async () => {
  const db = {} as Parameters<typeof gatewayFrom>[1];
  expect(() => gatewayFrom({ NODE_ENV: 'production' }, db)).toThrow('PAYMENT_GATEWAY must name');
  expect(() => gatewayFrom({ PAYMENT_GATEWAY: 'stripe' }, db)).toThrow('STRIPE_SECRET_KEY');
});
