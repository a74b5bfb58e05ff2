// What the ledger refuses by itself, whatever the code above it sends.
import { type RawBuilder, sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Db, Tx } from '../../db/client.ts';
import { postEntry } from '../../db/commands/entries.ts';
import {
  AT,
  asLedger,
  CH,
  CLERK,
  drift,
  entry,
  leg,
  openBooks,
  refusal,
} from '../support/accounting.ts';
import { testDatabase } from '../support/database.ts';

let db: Db;
let owner: Db;

beforeAll(async () => {
  ({ db, owner } = await testDatabase());
  await openBooks(db);
});

type Line = { readonly code: string; readonly amount: number; readonly entity?: string };

type Direct = { readonly lineCount?: number; readonly date?: string; readonly key?: string };

/** A direct insert of an entry with its lines, as no function of ours would write it. */
async function insertEntry(tx: Tx, lines: readonly Line[], by: Direct = {}): Promise<string> {
  const id = uuidv7();
  await sql`with e as (
      insert into accounting.entry (id, entity_id, period_id, posting_date, effective_at,
        idempotency_key, request_hash, source, line_count)
      select ${id}, ${AT}, p.id, ${by.date ?? '2027-03-15'}, now(), ${by.key ?? id}, ''::bytea,
        'direct', ${by.lineCount ?? 2}
      from accounting.period p where p.entity_id = ${AT} and p.month = '2027-03'
    ) ${insertion(id, lines, 1)}`.execute(tx);
  return id;
}

async function insertLines(tx: Tx, id: string, lines: readonly Line[], from = 1): Promise<void> {
  await insertion(id, lines, from).execute(tx);
}

function insertion(id: string, lines: readonly Line[], from: number): RawBuilder<unknown> {
  const rows = lines.map(
    (
      { code, amount, entity = AT },
      index,
    ) => sql`(${id}::uuid, ${from + index}::smallint, (select id
      from accounting.account where entity_id = ${entity} and code = ${code}), (select id
      from accounting.period where entity_id = ${AT} and month = '2027-03'), 'EUR',
      ${amount}::bigint, ${amount}::bigint)`,
  );
  if (lines.length === 0) return sql`select`;
  return sql`insert into accounting.line (entry_id, line_no, account_id, period_id, currency,
    amount, base_amount) values ${sql.join(rows)}`;
}

const BALANCED = [
  { code: '1010', amount: 100 },
  { code: '4000', amount: -100 },
];

describe('a posted entry', () => {
  const TABLES = ['entry', 'line'] as const;
  let posted: string;
  beforeAll(async () => {
    posted = await postEntry(db, CLERK, entry());
  });

  test.each(TABLES)('%s: the role that posts has no right to change it (42501)', async (table) => {
    const name = sql.table(`accounting.${table}`);
    const column = sql.id(table === 'line' ? 'currency' : 'source');
    const change = asLedger(db, (tx) => sql`update ${name} set ${column} = 'x'`.execute(tx));
    expect(await refusal(change)).toBe('42501');
    expect(await refusal(asLedger(db, (tx) => sql`delete from ${name}`.execute(tx)))).toBe('42501');
    expect(await refusal(asLedger(db, (tx) => sql`truncate ${name}`.execute(tx)))).toBe('42501');
  });

  test.each(TABLES)('%s: not even the owner of the tables changes it', async (table) => {
    const name = sql.table(`accounting.${table}`);
    const column = sql.id(table === 'line' ? 'currency' : 'source');
    expect(await refusal(sql`update ${name} set ${column} = ${column}`.execute(owner))).toBe(
      '23001',
    );
    expect(await refusal(sql`delete from ${name}`.execute(owner))).toBe('23001');
    expect(await refusal(sql`truncate ${name} cascade`.execute(owner))).toBe('23001');
  });

  test('gets no later line, balanced or not, by the same statement or the next', async () => {
    const late = [
      { code: '1010', amount: 5 },
      { code: '4000', amount: -5 },
    ];
    const later = asLedger(db, (tx) => insertLines(tx, posted, late, 3));
    expect(await refusal(later)).toBe('23001');
    const sameTransaction = asLedger(db, async (tx) => {
      const id = await insertEntry(tx, BALANCED);
      await insertLines(tx, id, late, 3);
    });
    expect(await refusal(sameTransaction)).toBe('FC001');
  });

  test('names who posted it, whatever the insert says', async () => {
    const { rows } = await sql<{ created_by: string }>`select created_by from accounting.entry
      where id = ${posted}`.execute(owner);
    expect(rows).toEqual([{ created_by: CLERK }]);
  });
});

describe('the database refuses', () => {
  test('an entry whose debits differ from its credits', async () => {
    const lines = [
      { code: '1010', amount: 100 },
      { code: '4000', amount: -99 },
    ];
    const work = asLedger(db, (tx) => insertEntry(tx, lines));
    expect(await refusal(work)).toBe('FC001');
  });

  test('an entry that balances in its base amounts only, or its amounts only', async () => {
    const mixed = [leg('1010', 100, 'USD', 91), leg('4000', -91)];
    const off = [leg('1010', 100, 'USD', 91), leg('4000', -100, 'USD', -90)];
    for (const postings of [mixed, off]) {
      const request = JSON.stringify(entry({ postings }));
      const work = asLedger(db, (tx) => sql`select accounting.post_entry(${request})`.execute(tx));
      expect(await refusal(work)).toBe('FC001');
    }
  });

  test('an entry without lines, and one whose lines come in two statements', async () => {
    expect(await refusal(asLedger(db, (tx) => insertEntry(tx, [])))).toBe('FC001');
    const inTwo = asLedger(db, async (tx) => {
      const id = await insertEntry(tx, BALANCED, { lineCount: 4 });
      await insertLines(tx, id, BALANCED, 3);
    });
    expect(await refusal(inTwo)).toBe('FC001');
  });

  test('an entry without a key or of one line, and a line that moves nothing', async () => {
    const idle = [...BALANCED, { code: '1010', amount: 0 }];
    const direct = (lines: readonly Line[], by: Direct) =>
      refusal(asLedger(db, (tx) => insertEntry(tx, lines, by)));
    expect(await direct(BALANCED, { key: '' })).toBe('23514');
    expect(await direct(BALANCED.slice(0, 1), { lineCount: 1 })).toBe('23514');
    expect(await direct(idle, { lineCount: 3 })).toBe('23514');
  });

  test("a line on another entity's account", async () => {
    const lines = [
      { code: '1010', amount: 100 },
      { code: '4000', amount: -100, entity: CH },
    ];
    const work = asLedger(db, (tx) => insertEntry(tx, lines));
    expect(await refusal(work)).toBe('23503');
  });

  test('a currency that the account does not hold, and a base amount beside its own', async () => {
    const dollars = [leg('1011', 100, 'USD', 91), leg('4000', -100, 'USD', -91)];
    const skewed = [leg('1010', 100, 'EUR', 101), leg('4000', -100, 'EUR', -101)];
    for (const postings of [dollars, skewed]) {
      expect(await refusal(postEntry(db, CLERK, entry({ postings })))).toBe('currency-mismatch');
    }
  });

  test('a posting date outside the period', async () => {
    const work = asLedger(db, (tx) => insertEntry(tx, BALANCED, { date: '2027-04-01' }));
    expect(await refusal(work)).toBe('23503');
  });

  test('posting on an old snapshot, which could not see a close', async () => {
    const work = asLedger(db, (tx) => insertEntry(tx, BALANCED));
    expect(await refusal(work)).toBeNull();
    const repeatable = db
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (tx) => {
        await sql`select set_config('role', 'accounting_rw', true),
          set_config('app.principal', ${CLERK}, true)`.execute(tx);
        await insertEntry(tx, BALANCED);
      });
    expect(await refusal(repeatable)).toBe('23001');
  });

  test('a reversal that is not exactly one, and a second one', async () => {
    const id = await postEntry(db, CLERK, entry());
    const half = [leg('1010', -50), leg('4000', 50)];
    const whole = [leg('1010', -100), leg('4000', 100)];
    const reverse = (postings: typeof half) =>
      postEntry(db, CLERK, entry({ reverses: id, postings }));
    expect(await refusal(reverse(half))).toBe('unbalanced');
    expect(await refusal(reverse(whole))).toBeNull();
    expect(await refusal(reverse(whole))).toBe('23505');
  });

  test('a change of balances by anything but lines', async () => {
    const raise = asLedger(db, (tx) =>
      sql`update accounting.account_balance set debit = debit + 1`.execute(tx),
    );
    expect(await refusal(raise)).toBe('42501');
    expect(
      await refusal(
        asLedger(db, (tx) =>
          sql`update accounting.account
      set live_balance = false`.execute(tx),
        ),
      ),
    ).toBe('42501');
  });
});

test('USD 110.00 invoiced at 1.10 and paid at 1.08 gains 1.85 (decisions.md 23)', async () => {
  const invoiced = [leg('1200', 11_000, 'USD', 10_000), leg('4000', -11_000, 'USD', -10_000)];
  const paid = [
    leg('1010', 11_000, 'USD', 10_185),
    leg('1200', -11_000, 'USD', -10_000),
    leg('7000', 0, 'USD', -185),
  ];
  await postEntry(db, CLERK, entry({ postings: invoiced }));
  await postEntry(db, CLERK, entry({ postings: paid }));
  const { rows } = await sql`select a.code, (b.base_debit - b.base_credit) as base
    from accounting.account_balance b join accounting.account a on a.id = b.account_id
    where b.currency = 'USD' and a.code in ('1010', '1200', '7000') order by a.code`.execute(owner);
  expect(rows).toEqual([
    { code: '1010', base: 10_185 },
    { code: '1200', base: 0 },
    { code: '7000', base: -185 },
  ]);
  expect(await drift(owner)).toEqual([]);
});
