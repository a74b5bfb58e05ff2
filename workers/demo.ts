// Plays one rental against the running system as counter staff would, over the published API only.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { check, type Ledger, money, printEntries, printFacts, say } from './demo-report.ts';
import { demoToken } from './demo-token.ts';

const server = process.env['FORECOURT_API'] ?? 'http://localhost:8080';
const api = `${server}/api/v1`;
const password = process.env['DEMO_PASSWORD'];
const BRANCH = 'VIE';
const CLASS = 'CDMR';
const HALF_HOUR_MS = 1_800_000;
const DAY_MS = 48 * HALF_HOUR_MS;

type Price = {
  readonly totalMinor: number;
  readonly currency: string;
  readonly lines: readonly Line[];
};
type Line = { readonly code: string; readonly netMinor: number };
type Rental = {
  readonly id: string;
  readonly number: string;
  readonly status: string;
  readonly vehicleId: string;
  readonly dueAtLocal: string;
  readonly price: Price;
  readonly invoiceId: string | null;
  readonly invoiceNumber: string | null;
  readonly actions: readonly { readonly name: string; readonly allowed: boolean }[];
};

if (password === undefined) {
  throw new Error('DEMO_PASSWORD is not set: the first start of the system printed it.');
}
/** The counter's work is an agent's; the books are read by who reads everything. */
const [agent, auditor] = [
  await demoToken(server, { userName: 'agent', password }),
  await demoToken(server, { userName: 'auditor', password }),
];
await rentalFromQuoteToInvoice();

async function rentalFromQuoteToInvoice(): Promise<void> {
  // Soon enough for the keys to go out at once.
  const pickUp = Date.now() + HALF_HOUR_MS;
  const term = { pickUpAt: at(pickUp), dueAt: at(pickUp + 2 * DAY_MS) };
  const customer = await post<{ id: string }>('/customers', {
    name: 'Demo Renter',
    email: 'renter@example.com',
  });

  const free = await availability(term);
  say('availability', `${free} of class ${CLASS} free at ${BRANCH}`);
  const { price: quote } = await post<{ readonly price: Price }>(
    '/quotes',
    { branchId: BRANCH, classId: CLASS, ...term },
    false,
  );
  say('quote', `2 days cost ${money(quote)}`);

  const request = { branchId: BRANCH, classId: CLASS, customerId: customer.id, ...term };
  const reserved = await post<Rental>('/rentals', request);
  tell('reserve', reserved);
  check('the rental costs what was quoted', reserved.price.totalMinor, quote.totalMinor);
  check('one vehicle fewer is free', await availability(term), free - 1);

  const { odometerKm } = await get<{ odometerKm: number }>(`/vehicles/${reserved.vehicleId}`);
  const out = await command(reserved, 'check-out', { odometerKm, fuelEighths: 8 });
  tell('check-out', out);
  check('the rental is active', out.status, 'active');

  const dueAt = at(Date.parse(term.dueAt) + DAY_MS);
  const extended = await command(out, 'extend', { dueAt });
  tell('extend', extended);

  const reading = { odometerKm: odometerKm + 42, fuelEighths: 8, branchId: BRANCH };
  const back = await command(extended, 'check-in', reading);
  tell('check-in', back);
  await invoiceAndBooks(back);
  await facts(back.id);
  check('the rental is closed', (await get<Rental>(`/rentals/${back.id}`)).status, 'closed');
}

async function invoiceAndBooks(rental: Rental): Promise<void> {
  const invoice = await get<Price & { readonly number: string; readonly netMinor: number }>(
    `/invoices/${rental.invoiceId}`,
  );
  say('invoice', `${invoice.number} over ${money(invoice)}, returned early and priced anew`);
  check('the invoice is the price', invoice.totalMinor, rental.price.totalMinor);

  const entries = await get<Ledger>(`/rentals/${rental.id}/entries`, auditor);
  printEntries(entries);
  const lines = entries.items.flatMap((entry) => entry.lines);
  const receivable = lines.filter((line) => line.amountMinor > 0);
  check('one entry was posted', entries.items.length, 1);
  check('the entry balances', sum(lines), 0);
  check('receivables hold the invoice', sum(receivable), invoice.totalMinor);

  const balance = await get<{
    readonly totals: readonly { readonly currency: string; readonly balanceMinor: number }[];
  }>('/trial-balance', auditor);
  for (const { currency, balanceMinor } of balance.totals) {
    say('trial balance', `${currency} ${(balanceMinor / 100).toFixed(2)}`);
    check(`the trial balance in ${currency} is zero`, balanceMinor, 0);
  }
}

/** Waits until the relay has the broker's word for every event of the rental, entry and invoice. */
async function facts(rentalId: string): Promise<void> {
  const rental = ['reserved', 'checked-out', 'extended', 'checked-in', 'closed'];
  const expected = [
    ...rental.map((name, n) => `${n + 1} forecourt.rental.${name}.v1`),
    '1 forecourt.entry.posted.v1',
    '1 forecourt.invoice.issued.v1',
  ];
  type Facts = Parameters<typeof printFacts>[0];
  let seen: Facts = { items: [] };
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await delay(200)) {
    seen = await get<Facts>(`/rentals/${rentalId}/events`);
    const published = seen.items.filter((fact) => fact.status === 'published');
    if (published.length >= expected.length) break;
  }
  printFacts(seen);
  const published = seen.items.filter((fact) => fact.status === 'published');
  check(
    'every event of rental, entry and invoice left for Kafka, in order',
    published.map((fact) => `${fact.event.sequence} ${fact.event.type}`).join(', '),
    expected.join(', '),
  );
}

async function availability(term: { readonly pickUpAt: string; readonly dueAt: string }) {
  const query = new URLSearchParams({
    branchId: BRANCH,
    classId: CLASS,
    from: term.pickUpAt,
    to: term.dueAt,
  });
  const answer = await get<{ readonly classes: readonly { readonly free: number }[] }>(
    `/availability?${query}`,
  );
  return answer.classes[0]?.free ?? 0;
}

function tell(step: string, rental: Rental): void {
  const next =
    rental.actions.flatMap(({ allowed, name }) => (allowed ? [name] : [])).join(', ') || 'nothing';
  const due = `due ${rental.dueAtLocal}`;
  say(step, `${rental.number} is ${rental.status}, ${due}, ${money(rental.price)}; next: ${next}`);
}

function command(rental: Rental, path: string, body: object): Promise<Rental> {
  return post(`/rentals/${rental.id}/${path}`, body);
}

function get<T>(path: string, token = agent): Promise<T> {
  return call(path, { headers: { authorization: `Bearer ${token}` } });
}

function post<T>(path: string, body: object, keyed = true): Promise<T> {
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${agent}`,
    ...(keyed ? { 'idempotency-key': randomUUID() } : {}),
  };
  return call(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function call<T>(path: string, init: RequestInit): Promise<T> {
  const answer = await fetch(`${api}${path}`, init);
  const body = await answer.text();
  if (!answer.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${answer.status} ${body}`);
  return JSON.parse(body) as T;
}

function at(ms: number): string {
  return new Date(ms - (ms % 60_000)).toISOString();
}

function sum(lines: readonly { readonly amountMinor: number }[]): number {
  return lines.reduce((total, line) => total + line.amountMinor, 0);
}
