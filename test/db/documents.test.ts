// Documents of the books besides the invoice: credit notes that take it back, never more than is left.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Db, transact } from '../../db/client.ts';
import { issueInvoice } from '../../db/commands/accounting.ts';
import { type CreditRequest, issueCreditNote } from '../../db/commands/credit-notes.ts';
import { creditInvoice, type InvoiceCredit } from '../../db/commands/invoice-credits.ts';
import { entriesOfRental, invoiceById } from '../../db/queries/accounting.ts';
import type { Actor } from '../../domain/actor.ts';
import { DEMO_CHART } from '../../domain/ledger.ts';
import { AT, CLERK, invoice, openBooks, refusal } from '../support/accounting.ts';
import { testApi } from '../support/api.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { plantStaff, tokenOf } from '../support/people.ts';

const NOW = '2027-03-05T10:00:00.000Z';

let database: TestDatabase;
let db: Db;
let owner: Db;
let staff: Actor;

beforeAll(async () => {
  database = await testDatabase();
  ({ db, owner } = database);
  await openBooks(db, DEMO_CHART);
  const { id } = await plantStaff(owner, { roles: ['counter-agent'] });
  staff = { kind: 'staff', id };
});

async function invoiced() {
  const request = invoice();
  const issued = await transact(db, 'rentals_rw', CLERK, (tx) => issueInvoice(tx, request));
  return { ...issued, rentalId: request.rentalId };
}

function credit(request: Partial<CreditRequest> & Pick<CreditRequest, 'invoiceId'>) {
  const asked = { key: `test/${uuidv7()}`, at: NOW, ...request };
  return transact(db, 'rentals_rw', CLERK, (tx) => issueCreditNote(tx, asked));
}

const part = (netMinor: number) => [{ lineNo: 1, netMinor }];

describe('a credit note', () => {
  test('takes a whole invoice back: golden entry, its own series, both shown', async () => {
    const { invoiceId, rentalId, number } = await invoiced();
    const note = await credit({ invoiceId });
    expect(note.number).toMatch(/^CRN-\d{4}-\d{6}$/);
    const [, entry] = await entriesOfRental(db, rentalId);
    expect(entry?.lines.map((line) => [line.account, line.amountMinor])).toEqual([
      ['4000', 10_000],
      ['2200', 2_000],
      ['1200', -12_000],
    ]);
    expect(await invoiceById(db, CLERK, note.creditNoteId)).toMatchObject({
      kind: 381,
      precedingId: invoiceId,
      totalMinor: 12_000,
      lines: [{ code: 'time', netMinor: 10_000 }],
    });
    expect(await invoiceById(db, CLERK, invoiceId)).toMatchObject({
      number,
      creditNotes: [{ id: note.creditNoteId, number: note.number, totalMinor: 12_000 }],
    });
    expect(await refusal(credit({ invoiceId }))).toBe('invalid-state');
    expect(await refusal(credit({ invoiceId: note.creditNoteId }))).toBe('invalid-state');
    expect(await refusal(credit({ invoiceId: uuidv7() }))).toBe('not-found');
  });

  test('repeats by its key, also when nothing more is left, and publishes once', async () => {
    const { invoiceId } = await invoiced();
    const asked = { invoiceId, key: `test/${uuidv7()}` };
    const all = await Promise.all(Array.from({ length: 5 }, () => credit(asked)));
    expect(new Set(all.map((one) => one.number)).size).toBe(1);
    const { rows } = await sql`select type from events.outbox
      where aggregate_id in (${all[0]?.creditNoteId}, ${all[0]?.entryId}) order by type`.execute(
      owner,
    );
    expect(rows).toEqual([
      { type: 'forecourt.credit-note.issued.v1' },
      { type: 'forecourt.entry.posted.v1' },
    ]);
  });

  test('of parts that race never takes more than there is, and the numbers have no gap', async () => {
    const { invoiceId } = await invoiced();
    const before = await nextNumber();
    const all = await Promise.all(
      Array.from({ length: 8 }, () => refusal(credit({ invoiceId, lines: part(3_000) }))),
    );
    expect(all.filter((code) => code === null)).toHaveLength(3);
    expect(new Set(all)).toEqual(new Set([null, 'amount-too-high']));
    expect(await nextNumber()).toBe(before + 3);
    const rest = await credit({ invoiceId });
    expect(rest.totalMinor).toBe(1_200);
    const { rows } = await sql`select sum(net_minor) as net, sum(vat_minor) as vat
      from accounting.invoice where preceding_id = ${invoiceId}`.execute(owner);
    expect(rows).toEqual([{ net: '10000', vat: '2000' }]);
  });

  test('above what is left is refused by the database alone', async () => {
    const { invoiceId } = await invoiced();
    await credit({ invoiceId, lines: part(6_000) });
    const over = { netMinor: 6_000, vatMinor: 1_200, totalMinor: 7_200 };
    expect(await refusal(raw(invoiceId, over, ['4000', 6_000]))).toBe('23514');
    const other = { netMinor: 1_000, vatMinor: 200, totalMinor: 1_200 };
    // Another account than the invoice's own entry credited.
    expect(await refusal(raw(invoiceId, other, ['4200', 1_000]))).toBe('FC001');
    expect(await refusal(raw(invoiceId, other, ['4000', 1_000]))).toBeNull();
  });
});

type Amounts = {
  readonly netMinor: number;
  readonly vatMinor: number;
  readonly totalMinor: number;
};

/** What a defective command could send. */
function raw(precedingId: string, amounts: Amounts, [account, net]: readonly [string, number]) {
  const leg = (code: string, amountMinor: number) => ({
    ...{ account: code, currency: 'EUR', amountMinor, baseMinor: amountMinor },
  });
  const line = { code: 'time', descriptionKey: 'x', quantity: 1, unitMinor: net, netMinor: net };
  const tax = { rateBp: 2_000, baseMinor: net, vatMinor: amounts.vatMinor };
  const postings = [
    leg(account, net),
    leg('2200', amounts.vatMinor),
    leg('1200', -amounts.totalMinor),
  ];
  const request = {
    ...amounts,
    ...{ id: uuidv7(), idempotencyKey: uuidv7(), precedingId, taxes: [tax] },
    lines: [{ ...line, vatRateBp: 2_000, creditsLine: 1 }],
    entry: { id: uuidv7(), effectiveAt: NOW, source: 'test', postings },
  };
  return transact(db, 'rentals_rw', CLERK, (tx) =>
    sql`select accounting.issue_credit_note(${JSON.stringify(request)})`.execute(tx),
  );
}

async function nextNumber(): Promise<number> {
  const { rows } = await sql<{ next: number }>`select next from accounting.series
    where entity_id = ${AT} and series = 'CRN'`.execute(owner);
  return rows[0]?.next ?? 1;
}

describe('a credit by a person', () => {
  const ask = (invoiceId: string, more: Partial<InvoiceCredit> = {}) =>
    creditInvoice(
      db,
      { principal: `staff:${staff.id}`, scope: 'branches:VIE' },
      {
        ...{ id: uuidv7(), invoiceId, actor: staff, at: NOW, lines: undefined },
        ...{ reason: 'goodwill', approvalId: null, limitMinor: 2_500, ...more },
      },
    );

  test('counts against the limit by rental and day, so splitting gains nothing', async () => {
    const { invoiceId } = await invoiced();
    await ask(invoiceId, { lines: part(2_000) });
    const more = ask(invoiceId, { lines: part(100) });
    expect(await refusal(more)).toBe('limit-exceeded');
    expect(await refusal(ask((await invoiced()).invoiceId, { lines: part(100) }))).toBe(
      'limit-exceeded',
    );
  });

  test('above the limit needs an unused approval of exactly this invoice and amount', async () => {
    const { invoiceId } = await invoiced();
    const approvalId = await approved(invoiceId, 12_000);
    expect(await refusal(ask(invoiceId, { approvalId, lines: part(5_000) }))).toBe('four-eyes');
    expect((await ask(invoiceId, { approvalId })).totalMinor).toBe(12_000);
    const again = await invoiced();
    expect(await refusal(ask(again.invoiceId, { approvalId }))).toBe('four-eyes');
  });

  test('at another branch does not find the invoice', async () => {
    const { invoiceId } = await invoiced();
    const elsewhere = { principal: `staff:${staff.id}`, scope: 'branches:GRZ' };
    const asked = { id: uuidv7(), invoiceId, actor: staff, at: NOW, lines: undefined };
    const more = { reason: 'other', approvalId: null, limitMinor: 99_999 };
    expect(await refusal(creditInvoice(db, elsewhere, { ...asked, ...more }))).toBe('not-found');
  });
});

async function approved(subject: string, amount: number): Promise<string> {
  const id = uuidv7();
  await sql`insert into people.approval (id, kind, subject_type, subject_id, branch_id, amount,
      reason, requested_by, requested_at, expires_at, status, decided_by, decided_at)
    values (${id}, 'fee-waiver', 'invoice', ${subject}, 'VIE', ${amount}, 'x', 'staff:one', now(),
      now() + interval '1 day', 'approved', 'staff:two', now())`.execute(owner);
  return id;
}

test('over HTTP: a part of an invoice, once for its key, and not above the caller’s limit', async () => {
  const api = await testApi({ database });
  const { invoiceId } = await invoiced();
  const path = `/api/v1/invoices/${invoiceId}/credit-notes`;
  const asked = { key: uuidv7(), body: { lines: part(5_000), reason: 'goodwill' } };
  const first = await api.call('POST', path, asked);
  expect(first).toMatchObject({ status: 201, body: { kind: 381, precedingId: invoiceId } });
  expect((await api.call('POST', path, asked)).text).toBe(first.text);
  const shown = await api.call('GET', `/api/v1/invoices/${invoiceId}`);
  expect(shown.body.creditNotes).toMatchObject([{ id: first.body.id, totalMinor: 6_000 }]);
  const agent = await plantStaff(owner, { roles: ['counter-agent'] });
  const token = await tokenOf(agent);
  const refused = await api.call('POST', path, { token, body: { reason: 'goodwill' } });
  expect(refused).toMatchObject({ status: 403, body: { type: '/problems/limit-exceeded' } });
});
