// Books for a test: an Austrian and a Swiss entity, and entries and invoices to post into them.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { type Db, type Tx, transact } from '../../db/client.ts';
import { type NewInvoice, openLegalEntity } from '../../db/commands/accounting.ts';
import { type Account, DEMO_CHART, type NewEntry, type Posting } from '../../domain/ledger.ts';

export const CLERK = 'staff:clerk';
export const AT = 'FC-AT';
export const CH = 'FC-CH';

/** Live balances on the demo chart's revenue too, so that the tests can meet on a hot row. */
const CHART: readonly Account[] = [
  ...DEMO_CHART.map((account) => ({ ...account, liveBalance: true })),
  { code: '7000', name: 'Exchange gains', type: 'income', currency: null, liveBalance: true },
  { code: '1011', name: 'Bank in EUR', type: 'asset', currency: 'EUR', liveBalance: true },
];

export async function openBooks(db: Db, chart: readonly Account[] = CHART): Promise<void> {
  const vienna = { id: AT, name: 'Forecourt Austria', functionalCurrency: 'EUR' };
  const zurich = { id: CH, name: 'Forecourt Switzerland', functionalCurrency: 'CHF' };
  await openLegalEntity(db, CLERK, { ...vienna, timeZone: 'Europe/Vienna' }, chart);
  await openLegalEntity(db, CLERK, { ...zurich, timeZone: 'Europe/Zurich' }, chart);
}

export function leg(
  account: string,
  amountMinor: number,
  currency = 'EUR',
  baseMinor = amountMinor,
): Posting {
  return { account, currency, amountMinor, baseMinor };
}

/** 1.00 from revenue to the bank, on 15 March 2027, unless said otherwise. */
export function entry(changes: Partial<NewEntry> = {}): NewEntry {
  return {
    entityId: AT,
    effectiveAt: '2027-03-15T10:00:00.000Z',
    postingDate: '2027-03-15',
    idempotencyKey: `test/${uuidv7()}`,
    source: 'test',
    postings: [leg('1010', 100), leg('4000', -100)],
    ...changes,
  };
}

/** 100.00 net, 20.00 VAT. */
export function invoice(changes: Partial<NewInvoice> = {}): NewInvoice {
  const rentalId = uuidv7();
  const line = { code: 'time', quantity: 1, unitMinor: 10_000, netMinor: 10_000, vatRateBp: 2_000 };
  return {
    key: `rental/${rentalId}/final-invoice`,
    entityId: AT,
    branchId: 'VIE',
    rentalId,
    customerId: uuidv7(),
    serviceFrom: '2027-03-01T09:00:00.000Z',
    serviceTo: '2027-03-03T09:00:00.000Z',
    quote: {
      currency: 'EUR',
      lines: [line] as unknown as NewInvoice['quote']['lines'],
      netMinor: 10_000,
      vat: [{ rateBp: 2_000, baseMinor: 10_000, vatMinor: 2_000 }],
      vatMinor: 2_000,
      totalMinor: 12_000,
    },
    ...changes,
  };
}

/** Closes a month as the close will: by a change of its status. */
export async function setPeriod(tx: Tx, month: string, status: string): Promise<void> {
  await sql`update accounting.period set status = ${status}, version = version + 1
    where entity_id = ${AT} and month = ${month}`.execute(tx);
}

/** Runs one statement as accounting_rw: what a defective command could send. */
export function asLedger<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  return transact(db, 'accounting_rw', CLERK, work);
}

/** The SQLSTATE or domain code that `work` was refused with; null when it was let through. */
export async function refusal(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
}

export type Drift = { readonly account_id: number; readonly currency: string };

/** Accounts whose kept balance is not the sum of their lines: none, or the ledger is broken. */
export async function drift(owner: Db): Promise<readonly Drift[]> {
  const { rows } = await sql<Drift>`
    select account_id, period_id, currency from (
      select account_id, period_id, currency, debit, credit, base_debit, base_credit
        from accounting.account_balance
      union all
      select l.account_id, l.period_id, l.currency, -sum(greatest(l.amount, 0)),
        -sum(greatest(-l.amount, 0)), -sum(greatest(l.base_amount, 0)),
        -sum(greatest(-l.base_amount, 0))
        from accounting.line l join accounting.account a on a.id = l.account_id
        where a.live_balance group by 1, 2, 3
    ) both_sides group by 1, 2, 3
    having sum(debit) <> 0 or sum(credit) <> 0 or sum(base_debit) <> 0 or sum(base_credit) <> 0
  `.execute(owner);
  return rows;
}
