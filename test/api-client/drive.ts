// Plays a rental through the client that openapi-typescript made of the API's own document.
import { randomUUID } from 'node:crypto';
import createClient from 'openapi-fetch';
import type { components, paths } from './generated/api.d.ts';

type Rental = components['schemas']['Rental'];

const { FORECOURT_URL: baseUrl = '', FORECOURT_TOKEN: token = '', PLACE: place = '' } = process.env;
const { branchId, classId, customerId } = JSON.parse(place) as Record<
  'branchId' | 'classId' | 'customerId',
  string
>;
const api = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } });
const HOUR_MS = 3_600_000;
const at = (hours: number): string => new Date(Date.now() + hours * HOUR_MS).toISOString();
const once = () => ({ header: { 'idempotency-key': randomUUID() } });

const term = { pickUpAt: at(0.5), dueAt: at(48.5) };
const quote = data(
  await api.POST('/api/v1/quotes', { body: { branchId, classId, ...term } }),
).price;
const rental = data(
  await api.POST('/api/v1/rentals', {
    params: once(),
    body: { branchId, classId, customerId, ...term },
  }),
);
same(rental.price.totalMinor, quote.totalMinor, 'the rental costs what was quoted');
const path = { id: rental.id };
const out = data(
  await api.POST('/api/v1/rentals/{id}/check-out', {
    params: { ...once(), path },
    body: { odometerKm: 20_000, fuelEighths: 8 },
  }),
);
same(out.status, 'active', 'the rental is active');
data(
  await api.POST('/api/v1/rentals/{id}/extend', {
    params: { ...once(), path },
    body: { dueAt: at(73) },
  }),
);
const back: Rental = data(
  await api.POST('/api/v1/rentals/{id}/check-in', {
    params: { ...once(), path },
    body: { odometerKm: 20_042, fuelEighths: 8, branchId },
  }),
);
if (back.invoiceId === null) throw new Error('There is no invoice.');
const invoice = data(
  await api.GET('/api/v1/invoices/{id}', { params: { path: { id: back.invoiceId } } }),
);
same(invoice.totalMinor, back.price.totalMinor, 'the invoice is the price');
const unknown = await api.GET('/api/v1/rentals/{id}', { params: { path: { id: randomUUID() } } });
same(unknown.error?.status, 404, 'a refusal is a typed problem');
console.log(`closed with ${invoice.number}`);

function data<T>(answer: { readonly data?: T; readonly error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

function same<T>(actual: T, expected: T, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${actual} is not ${expected}`);
}
