// Posting: once per key, into the right period, never past a close, and balances that equal lines.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Db } from '../../db/client.ts';
import { postEntry } from '../../db/commands/entries.ts';
import { entriesOfRental } from '../../db/queries/accounting.ts';
import { trialBalance } from '../../db/queries/trial-balance.ts';
import {
  AT,
  asLedger,
  CLERK,
  drift,
  entry,
  leg,
  openBooks,
  refusal,
  setPeriod,
} from '../support/accounting.ts';
import { testDatabase } from '../support/database.ts';
import { allSettled } from '../support/waiting.ts';

let db: Db;
let owner: Db;

beforeAll(async () => {
  ({ db, owner } = await testDatabase());
  await openBooks(db);
});

async function eventsOf(id: string): Promise<readonly { readonly data: object }[]> {
  const { rows } = await sql<{ readonly event: { readonly data: object } }>`
    select event::jsonb as event from events.outbox where aggregate_id = ${id}`.execute(owner);
  return rows.map((row) => row.event);
}

async function postingDate(id: string): Promise<string | undefined> {
  const { rows } = await sql<{ readonly date: string }>`select posting_date::text as date
    from accounting.entry where id = ${id}`.execute(owner);
  return rows[0]?.date;
}

describe('a key', () => {
  test('posts once, whoever repeats it, and publishes one event', async () => {
    const request = entry();
    const first = await postEntry(db, CLERK, request);
    const repeats = await Promise.all(
      Array.from({ length: 20 }, () => postEntry(db, 'staff:other', request)),
    );
    expect(new Set(repeats)).toEqual(new Set([first]));
    expect(await eventsOf(first)).toMatchObject([
      { data: { entryId: first, entityId: AT, postingDate: '2027-03-15', source: 'test' } },
    ]);
  });

  test('is first by one of twenty that race for it', async () => {
    const request = entry();
    const ids = await Promise.all(Array.from({ length: 20 }, () => postEntry(db, CLERK, request)));
    expect(new Set(ids).size).toBe(1);
    expect(await eventsOf(ids[0] ?? '')).toHaveLength(1);
  });

  test('with another content is refused', async () => {
    const request = entry();
    await postEntry(db, CLERK, request);
    const other = { ...request, postings: [leg('1010', 101), leg('4000', -101)] };
    expect(await refusal(postEntry(db, CLERK, other))).toBe('idempotency-key-reused');
  });

  test('gets its answer although the month was closed since', async () => {
    const request = entry({ postingDate: '2026-01-31' });
    const first = await postEntry(db, CLERK, request);
    await asLedger(db, (tx) => setPeriod(tx, '2026-01', 'closed'));
    expect(await postEntry(db, CLERK, request)).toBe(first);
  });
});

test('an unknown account or legal entity is not found', async () => {
  const nowhere = entry({ postings: [leg('9999', 1), leg('4000', -1)] });
  expect(await refusal(postEntry(db, CLERK, nowhere))).toBe('not-found');
  expect(await refusal(postEntry(db, CLERK, entry({ entityId: 'FC-XX' })))).toBe('not-found');
});

test('names in texts do not break out of the statement', async () => {
  const key = `it's "quoted" \\ $1 ${uuidv7()}`;
  const id = await postEntry(db, `staff:o'neil`, entry({ idempotencyKey: key }));
  const { rows } = await sql`select idempotency_key, created_by from accounting.entry
    where id = ${id}`.execute(owner);
  expect(rows).toEqual([{ idempotency_key: key, created_by: `staff:o'neil` }]);
});

describe('a period', () => {
  test("opens by the entity's clock when its month is first posted to", async () => {
    const { postingDate: _, ...request } = entry();
    const id = await postEntry(db, CLERK, request);
    const { rows } = await sql<{ readonly today: string }>`select
      (now() at time zone 'Europe/Vienna')::date::text as today`.execute(owner);
    expect(await postingDate(id)).toBe(rows[0]?.today);
    expect(await eventsOf(id)).toMatchObject([{ data: { postingDate: rows[0]?.today } }]);
  });

  test.each(['closing', 'closed', 'locked'])('that is %s takes no entry', async (status) => {
    const month = { closing: '2026-02', closed: '2026-03', locked: '2026-04' }[status] ?? '';
    await postEntry(db, CLERK, entry({ postingDate: `${month}-10` }));
    await asLedger(db, (tx) => setPeriod(tx, month, status));
    const late = entry({ postingDate: `${month}-10` });
    expect(await refusal(postEntry(db, CLERK, late))).toBe('period-closed');
    const direct = asLedger(db, (tx) =>
      sql`insert into accounting.entry (id, entity_id, period_id, posting_date, effective_at,
          idempotency_key, request_hash, source, line_count)
        select ${uuidv7()}, ${AT}, id, ${`${month}-10`}, now(), ${uuidv7()}, '', 'direct', 2
        from accounting.period where entity_id = ${AT} and month = ${month}`.execute(tx),
    );
    expect(await refusal(direct)).toBe('FC002');
  });

  test('that is locked never changes again', async () => {
    const reopen = asLedger(db, (tx) => setPeriod(tx, '2026-04', 'open'));
    expect(await refusal(reopen)).toBe('23001');
  });

  test('never opens behind one that was closed', async () => {
    const before = entry({ postingDate: '2025-12-31' });
    expect(await refusal(postEntry(db, CLERK, before))).toBe('period-closed');
  });

  test('that is closed sends a fact of today to the next open month', async () => {
    const { rows } = await sql<{ readonly month: string; readonly next: string }>`select
      to_char(now() at time zone 'Europe/Vienna', 'YYYY-MM') as month,
      to_char(date_trunc('month', now() at time zone 'Europe/Vienna') + interval '1 month',
        'YYYY-MM-DD') as next`.execute(owner);
    await asLedger(db, (tx) => setPeriod(tx, rows[0]?.month ?? '', 'closed'));
    const { postingDate: _, ...request } = entry();
    const id = await postEntry(db, CLERK, request);
    await asLedger(db, (tx) => setPeriod(tx, rows[0]?.month ?? '', 'open'));
    expect(await postingDate(id)).toBe(rows[0]?.next);
  });

  test('closes after those who are posting into it, and refuses those who come later', async () => {
    await postEntry(db, CLERK, entry({ postingDate: '2026-05-09' }));
    const request = JSON.stringify({ ...entry({ postingDate: '2026-05-10' }), id: uuidv7() });
    const order: string[] = [];
    let closing: Promise<unknown> | undefined;
    let late: Promise<unknown> | undefined;
    await asLedger(db, async (tx) => {
      await sql`select accounting.post_entry(${request})`.execute(tx);
      closing = asLedger(db, (other) => setPeriod(other, '2026-05', 'closed')).then(() =>
        order.push('closed'),
      );
      await waitForLock();
      late = refusal(postEntry(db, CLERK, entry({ postingDate: '2026-05-11' })));
      await new Promise((resolve) => setTimeout(resolve, 200));
      order.push('posted');
    });
    await closing;
    expect(await late).toBe('period-closed');
    expect(order).toEqual(['posted', 'closed']);
  });
});

/** Resolves when a session waits for an advisory lock, as the closer does. */
async function waitForLock(): Promise<void> {
  for (let look = 0; look < 100; look += 1) {
    const { rows } = await sql`select from pg_locks
      where locktype = 'advisory' and not granted`.execute(owner);
    if (rows.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('Nobody waited for the period.');
}

test('400 postings over two accounts, a fifth refused: balances are the lines', async () => {
  const work = Array.from({ length: 400 }, (_, index) => {
    const off = index % 5 === 0 ? 1 : 0;
    const pair = index % 2 === 0 ? (['1010', '4000'] as const) : (['4000', '1010'] as const);
    const postings = JSON.stringify({
      ...entry({ postings: [leg(pair[0], index + 2), leg(pair[1], off - index - 2)] }),
      id: uuidv7(),
    });
    return () =>
      refusal(asLedger(db, (tx) => sql`select accounting.post_entry(${postings})`.execute(tx)));
  });
  const codes = (await allSettled(work)).map((one) => one.status === 'fulfilled' && one.value);
  const refused = codes.filter((code) => code !== null);
  expect(new Set(refused)).toEqual(new Set(['FC001']));
  expect(refused).toHaveLength(80);
  expect(await drift(owner)).toEqual([]);
});

test("a rental's entries and the trial balance are read from the lines, and are zero", async () => {
  const rentalId = uuidv7();
  const id = await postEntry(db, CLERK, entry({ rentalId }));
  expect(await entriesOfRental(db, rentalId)).toMatchObject([
    {
      id,
      postingDate: '2027-03-15',
      month: '2027-03',
      lines: [{ account: '1010', amountMinor: 100 }, {}],
    },
  ]);
  const balance = await trialBalance(db, { entityId: AT });
  expect(balance.rows.length).toBeGreaterThan(1);
  expect(balance.totals).toMatchObject([{ balanceMinor: 0, baseBalanceMinor: 0, currency: 'EUR' }]);
  expect((await trialBalance(db, { asOf: '2020-01-01' })).rows).toEqual([]);
});
