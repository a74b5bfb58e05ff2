// Invoices: gapless numbers, sums that hold, and nothing that is ever changed.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Db, type Tx, transact } from '../../db/client.ts';
import { type IssuedInvoice, issueInvoice, type NewInvoice } from '../../db/commands/accounting.ts';
import { entriesOfRental, invoiceById, listInvoices } from '../../db/queries/accounting.ts';
import { DEMO_CHART } from '../../domain/ledger.ts';
import { AT, asLedger, CLERK, invoice, openBooks, refusal } from '../support/accounting.ts';
import { testDatabase } from '../support/database.ts';
import { allSettled } from '../support/waiting.ts';

/** Sees everything. */
const READER = 'system:test';

let db: Db;
let owner: Db;

beforeAll(async () => {
  ({ db, owner } = await testDatabase());
  // Without live balances, whose rows would put the invoices in a queue before the series does.
  await openBooks(db, DEMO_CHART);
});

/** As check-in does: within a transaction of the rentals domain. */
function issue(request: NewInvoice, after?: (tx: Tx) => Promise<void>): Promise<IssuedInvoice> {
  return transact(db, 'rentals_rw', CLERK, async (tx) => {
    const issued = await issueInvoice(tx, request);
    await after?.(tx);
    return issued;
  });
}

function withQuote(changes: Partial<NewInvoice['quote']>): NewInvoice {
  const request = invoice();
  return { ...request, quote: { ...request.quote, ...changes } };
}

test('200 at once, every fifth rolled back, are numbered 1 to 160 without a gap', async () => {
  const boom = new Error('rolled back');
  const results = await allSettled(
    Array.from(
      { length: 200 },
      (_, index) => () =>
        issue(invoice(), async () => {
          if (index % 5 === 0) throw boom;
        }),
    ),
  );
  const numbers = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value.number] : []));
  const failures = results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  expect(new Set(failures)).toEqual(new Set([boom]));
  const { rows } = await sql<{
    year: number;
  }>`select distinct year from accounting.invoice`.execute(owner);
  expect(rows).toHaveLength(1);
  const expected = Array.from(
    { length: 160 },
    (_, index) => `INV-${rows[0]?.year}-${String(index + 1).padStart(6, '0')}`,
  );
  expect(numbers.toSorted()).toEqual(expected);
});

describe('an invoice', () => {
  test('is repeated by its key, and publishes once', async () => {
    const request = invoice();
    const all = await Promise.all(Array.from({ length: 20 }, () => issue(request)));
    expect(new Set(all.map((one) => one.number)).size).toBe(1);
    const [first] = all as [IssuedInvoice];
    const { rows } = await sql`select type from events.outbox
      where aggregate_id in (${first.invoiceId}, ${first.entryId}) order by type`.execute(owner);
    expect(rows).toEqual([
      { type: 'forecourt.entry.posted.v1' },
      { type: 'forecourt.invoice.issued.v1' },
    ]);
    const other = { ...request, serviceTo: '2027-03-04T09:00:00.000Z' };
    expect(await refusal(issue(other))).toBe('idempotency-key-reused');
  });

  test('reads back as it was issued, with its entry', async () => {
    const request = invoice();
    const issued = await issue(request);
    expect(await invoiceById(db, READER, issued.invoiceId)).toMatchObject({
      number: issued.number,
      entityId: AT,
      branchId: 'VIE',
      customerId: request.customerId,
      netMinor: 10_000,
      vatMinor: 2_000,
      totalMinor: 12_000,
      serviceTo: request.serviceTo,
      lines: [{ lineNo: 1, code: 'time', netMinor: 10_000, vatRateBp: 2_000 }],
      vat: [{ rateBp: 2_000, baseMinor: 10_000, vatMinor: 2_000 }],
    });
    const [entry] = await entriesOfRental(db, request.rentalId);
    expect(entry?.id).toBe(issued.entryId);
    expect(entry?.lines.map((line) => [line.account, line.amountMinor])).toEqual([
      ['1200', 12_000],
      ['4000', -10_000],
      ['2200', -2_000],
    ]);
  });

  test('is listed by rental and page by page', async () => {
    const request = invoice();
    const issued = await issue(request);
    const own = await listInvoices(db, READER, { limit: 10, rentalId: request.rentalId });
    expect(own).toMatchObject({ rows: [{ id: issued.invoiceId }], more: false });
    const first = await listInvoices(db, READER, { limit: 2 });
    const second = await listInvoices(db, READER, { limit: 2, after: first.rows[1]?.id });
    expect(first.more).toBe(true);
    expect(second.rows[0]?.id).not.toBe(first.rows[1]?.id);
  });

  test('whose parts do not sum is refused by the database', async () => {
    const line = invoice().quote.lines[0];
    const lines = [{ ...line, netMinor: 9_999 }] as NewInvoice['quote']['lines'];
    expect(await refusal(issue(withQuote({ lines })))).toBe('unbalanced');
    const noLine = [] as NewInvoice['quote']['lines'];
    expect(await refusal(issue(withQuote({ lines: noLine })))).toBe('23514');
    const vat = [{ rateBp: 2_000, baseMinor: 9_999, vatMinor: 2_000 }];
    expect(await refusal(issue(withQuote({ vat })))).toBe('unbalanced');
    const halves = [1_000, 2_000].map((rateBp) => ({ rateBp, baseMinor: 10_000, vatMinor: 1_000 }));
    expect(await refusal(issue(withQuote({ vat: halves })))).not.toBeNull();
    expect(await refusal(issue(withQuote({ vatMinor: 1_999 })))).toBe('23514');
    const tooMuch = { rateBp: 2_000, baseMinor: 10_000, vatMinor: 2_002 };
    const off = withQuote({ vat: [tooMuch], vatMinor: 2_002, totalMinor: 12_002 });
    expect(await refusal(issue(off))).toBe('23514');
  });

  test('whose taxes are of other bases is refused by the tax rows alone', async () => {
    // Its one line is taxed at 20 %: the sums are right, the bases are not.
    const vat = [1_000, 2_000].map((rateBp) => ({
      rateBp,
      baseMinor: 5_000,
      vatMinor: rateBp / 2,
    }));
    const halves = () => withQuote({ vat, vatMinor: 1_500, totalMinor: 11_500 });
    const guard = (how: 'disable' | 'enable') =>
      sql`alter table accounting.invoice_tax ${sql.raw(how)} trigger admit_parts`.execute(owner);
    const refused = await refusal(issue(halves()));
    await guard('disable');
    const without = await refusal(issue(halves()));
    await guard('enable');
    expect([refused, without]).toEqual(['unbalanced', null]);
  });

  test('without lines or without taxes does not reach the commit', async () => {
    const issued = await issue(invoice());
    const copy = (columns: string) =>
      asLedger(db, async (tx) => {
        const entry = { ...JSON.parse(columns), id: uuidv7(), idempotencyKey: uuidv7() };
        const { rows } = await sql<{ id: string }>`select
          accounting.post_entry(${JSON.stringify(entry)}) as id`.execute(tx);
        await sql`insert into accounting.invoice (id, entity_id, series, year, sequence, kind,
            customer_id, currency, issue_date, service_from, service_to, net_minor, vat_minor,
            total_minor, line_count, tax_count, entry_id, idempotency_key, request_hash)
          select ${uuidv7()}, i.entity_id, 'X', i.year, 1, 380, i.customer_id, i.currency,
            e.posting_date, i.service_from, i.service_to, 12000, 0, 12000, 1, 1, e.id, 'x', ''
          from accounting.invoice i, accounting.entry e
          where i.id = ${issued.invoiceId} and e.id = ${rows[0]?.id}`.execute(tx);
      });
    const postings = [
      { account: '1200', currency: 'EUR', amountMinor: 12_000, baseMinor: 12_000 },
      { account: '4000', currency: 'EUR', amountMinor: -12_000, baseMinor: -12_000 },
    ];
    const entry = { entityId: AT, effectiveAt: '2027-03-15T10:00:00Z', source: 'x', postings };
    expect(await refusal(copy(JSON.stringify(entry)))).toBe('FC001');
  });

  test("in another currency than the entity's is refused", async () => {
    expect(await refusal(issue(withQuote({ currency: 'USD' })))).toBe('currency-mismatch');
  });

  test.each(['invoice', 'invoice_line', 'invoice_tax'])(
    '%s: is not changed by anybody and grows no later row',
    async (table) => {
      const issued = await issue(invoice());
      const name = sql.table(`accounting.${table}`);
      const as = (statement: ReturnType<typeof sql>) =>
        refusal(asLedger(db, (tx) => statement.execute(tx)));
      const column = sql.id(table === 'invoice' ? 'currency' : 'invoice_id');
      expect(await as(sql`update ${name} set ${column} = null`)).toBe('42501');
      expect(await as(sql`delete from ${name}`)).toBe('42501');
      expect(await as(sql`truncate ${name}`)).toBe('42501');
      const update = sql`update ${name} set ${column} = ${column}`;
      expect(await refusal(update.execute(owner))).toBe('23001');
      expect(await refusal(sql`delete from ${name}`.execute(owner))).toBe('23001');
      expect(await refusal(sql`truncate ${name} cascade`.execute(owner))).toBe('23001');
      if (table === 'invoice_line') {
        expect(
          await as(sql`insert into accounting.invoice_line
            select invoice_id, 2, code, description_key, 1, 0, 0, vat_rate_bp
            from accounting.invoice_line where invoice_id = ${issued.invoiceId}`),
        ).toBe('FC001');
      }
      if (table === 'invoice_tax') {
        expect(
          await as(sql`insert into accounting.invoice_tax
            values (${issued.invoiceId}, 0, 0, 0)`),
        ).toBe('FC001');
      }
    },
  );
});

test('a rental may issue invoices, not read or write the ledger otherwise (42501)', async () => {
  const as = (statement: ReturnType<typeof sql>) =>
    refusal(transact(db, 'rentals_rw', CLERK, (tx) => statement.execute(tx)));
  expect(await as(sql`select from accounting.entry`)).toBe('42501');
  expect(await as(sql`insert into accounting.series values (${AT}, 'X', 2027, null, 1)`)).toBe(
    '42501',
  );
  expect(await as(sql`select accounting.post_entry('{}')`)).toBe('42501');
  expect(await refusal(sql`select accounting.post_entry('{}')`.execute(db))).toBe('42501');
});
