// A branch with a safe full of change, and the few ways in which tests of cash work its drawers.
import { sql } from 'kysely';
import { expect } from 'vitest';
import { type Db, transact } from '../../db/client.ts';
import { issueInvoice } from '../../db/commands/accounting.ts';
import { figuresOf } from '../../db/commands/branch-day-figures.ts';
import { invoice as newInvoice } from './accounting.ts';
import type { ApiAnswer, TestApi } from './api.ts';
import { AGENT, plantFleet, plantTrade } from './fleet.ts';

type Call = { readonly key?: string; readonly version?: number; readonly as?: string };

export type CashDesk = {
  readonly branchId: string;
  readonly customerId: string;
  /** An invoice that somebody owes: 120.00 of the desk's customer, unless told otherwise. */
  readonly invoiced: (
    totalMinor?: number,
    customerId?: string,
    rentalId?: string,
  ) => Promise<string>;
  /** `as` is the staff member who does it; `version` goes as If-Match. */
  readonly post: (path: string, body?: unknown, call?: Call) => Promise<ApiAnswer>;
  /** An open shift of a drawer of its own. */
  readonly opened: (floatMinor?: number) => Promise<string>;
  /** Counted in pieces of 0.50; its version is 3 then. */
  readonly counted: (shiftId: string, countedMinor: number) => Promise<void>;
  /** Source, account and amount of each leg of the entries, in order of posting. */
  readonly legs: (condition: ReturnType<typeof sql>) => Promise<readonly string[]>;
};

/** The answer's body, which is no refusal. */
export async function taken(answer: Promise<ApiAnswer>): Promise<ApiAnswer['body']> {
  const { status, body, text } = await answer;
  expect([200, 201], text).toContain(status);
  return body;
}

/** Entries that moved cash in the shift. */
export function ofShift(id: string) {
  return sql`e.id in (select entry_id from accounting.cash_movement where shift_id = ${id})`;
}

/** Call it in `beforeAll`. */
export async function cashDesk(api: TestApi): Promise<CashDesk> {
  const { db, owner } = api.database;
  const { customerId } = await plantTrade(db);
  const { branchId } = await plantFleet(db, { vehicles: 1 });
  const post: CashDesk['post'] = (path, body, { key, version, as } = {}) =>
    api.call('POST', `/api/v1${path}`, {
      ...(body !== undefined && { body }),
      ...(key !== undefined && { key }),
      headers: {
        ...(version !== undefined && { 'if-match': `"${version}"` }),
        ...(as !== undefined && { 'x-test-actor': as }),
      },
    });
  let drawers = 0;
  const opened: CashDesk['opened'] = async (floatMinor = 0) => {
    drawers += 1;
    const shift = { branchId, drawer: `D-${drawers}`, floatMinor };
    return (await taken(post('/drawer-shifts', shift))).id;
  };
  const counted: CashDesk['counted'] = async (id, countedMinor) => {
    await taken(post(`/drawer-shifts/${id}/counting`, undefined, { version: 1 }));
    const denominations = [{ valueMinor: 50, pieces: countedMinor / 50 }];
    await taken(post(`/drawer-shifts/${id}/count`, { denominations }, { version: 2 }));
  };
  const invoiced: CashDesk['invoiced'] = async (totalMinor = 12_000, of = customerId, rentalId) => {
    const document = { ...newInvoice(), branchId, customerId: of, quote: quoteOf(totalMinor) };
    const ofRental = rentalId === undefined ? {} : { rentalId };
    const issue = transact(db, 'rentals_rw', AGENT, (tx) =>
      issueInvoice(tx, { ...document, ...ofRental }),
    );
    return (await issue).invoiceId;
  };
  const legs: CashDesk['legs'] = async (condition) => {
    const { rows } = await sql<{ leg: string }>`
      select e.source || ' ' || a.code || ' ' || l.amount as leg from accounting.entry e
      join accounting.line l on l.entry_id = e.id join accounting.account a on a.id = l.account_id
      where ${condition} order by e.id, l.line_no`.execute(owner);
    return rows.map(({ leg }) => leg);
  };
  const change = { branchId, direction: 'from-bank', amountMinor: 100_000, bag: 'CHANGE-1' };
  await taken(post('/cash-in-transit', change));
  return { branchId, customerId, invoiced, post, opened, counted, legs };
}

/** One line with 20 % VAT. */
function quoteOf(totalMinor: number) {
  const { quote } = newInvoice();
  const vatMinor = Math.round(totalMinor / 6);
  const netMinor = totalMinor - vatMinor;
  const lines = quote.lines.map((line) => ({ ...line, unitMinor: netMinor, netMinor }));
  const vat = [{ rateBp: 2_000, baseMinor: netMinor, vatMinor }];
  return { ...quote, lines, vat, netMinor, vatMinor, totalMinor };
}

/** What the day after that one has until now. */
export function figuresAfter(db: Db, branchId: string, before: string) {
  const day = new Date(Date.parse(before) + 86_400_000).toISOString().slice(0, 10);
  return transact(db, 'accounting_rw', AGENT, (tx) =>
    figuresOf(tx, { entityId: 'FC-AT', branchId, day }),
  );
}
