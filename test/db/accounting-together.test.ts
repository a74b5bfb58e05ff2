// Entries posted at the same time share transactions: each is still one by one what it would be alone.
import { sql } from 'kysely';
import { beforeAll, expect, test, vi } from 'vitest';
import type { Db } from '../../db/client.ts';
import { postEntry } from '../../db/commands/entries.ts';
import { gathering } from '../../db/gathering.ts';
import { CLERK, drift, entry, leg, openBooks } from '../support/accounting.ts';
import { testDatabase } from '../support/database.ts';

let db: Db;
let owner: Db;

beforeAll(async () => {
  ({ db, owner } = await testDatabase());
  await openBooks(db);
  await postEntry(db, CLERK, entry());
});

/** How many transactions made these entries, as the database saw it. */
async function transactions(ids: readonly string[]): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(distinct tx)::int as n
    from accounting.entry where id = any(${ids})`.execute(owner);
  return rows[0]?.n ?? 0;
}

test('60 at once need a few transactions, publish 60 events and keep the balances', async () => {
  const ids = await Promise.all(Array.from({ length: 60 }, () => postEntry(db, CLERK, entry())));
  expect(new Set(ids).size).toBe(60);
  expect(await transactions(ids)).toBeLessThanOrEqual(5);
  const { rows } = await sql`select distinct aggregate_id from events.outbox
    where aggregate_id = any(${ids})`.execute(owner);
  expect(rows).toHaveLength(60);
  expect(await drift(owner)).toEqual([]);
});

test("one caller's mistake is refused by its name, and is nobody else's", async () => {
  const used = entry();
  const first = await postEntry(db, CLERK, used);
  const wrong = [
    entry({ postings: [leg('1011', 100, 'USD', 91), leg('4000', -100, 'USD', -91)] }),
    entry({ postings: [leg('1010', 100), leg('NOWHERE', -100)] }),
    { ...used, source: 'other' },
    entry({ entityId: 'FC-XX' }),
  ];
  const right = [entry(), used, entry({ postingDate: '2027-11-02' }), entry()];
  const all = [...right, ...wrong, ...right.map(() => entry())];
  const answers = await Promise.allSettled(all.map((one) => postEntry(db, CLERK, one)));
  const codes = answers.map((answer) =>
    answer.status === 'fulfilled' ? 'posted' : (answer.reason as { code?: string }).code,
  );
  const posted = (n: number) => Array<string>(n).fill('posted');
  const refused = ['currency-mismatch', 'not-found', 'idempotency-key-reused', 'not-found'];
  expect(codes).toEqual([...posted(4), ...refused, ...posted(4)]);
  expect(answers[1]).toMatchObject({ value: first });
  expect(await drift(owner)).toEqual([]);
});

test('two principals who post the same keys in opposite order get the same ids', async () => {
  const entries = Array.from({ length: 40 }, () => entry());
  const [here, there] = await Promise.all([
    Promise.all(entries.map((one) => postEntry(db, CLERK, one))),
    Promise.all(entries.toReversed().map((one) => postEntry(db, 'staff:other', one))),
  ]);
  expect(here).toEqual(there?.toReversed());
  expect(await drift(owner)).toEqual([]);
});

test('a gathering keeps order and limit, and goes alone when the company fails', async () => {
  const trips: string[][] = [];
  const desk = gathering<string, string>(
    {
      together: async (asks) => {
        trips.push([...asks]);
        if (asks.includes('bad')) throw new Error('all or none');
        return asks.map((ask) => `${ask}!`);
      },
      alone: async (ask) => {
        trips.push([ask]);
        if (ask === 'bad') throw new Error('bad alone');
        return `${ask}!`;
      },
    },
    { limit: 3, lanes: 1, whenIdle: () => trips.push(['home']) },
  );
  const asks = ['a', 'b', 'c', 'd', 'bad', 'e'];
  const answers = await Promise.allSettled(asks.map((ask) => desk(ask)));
  expect(answers.map((answer) => answer.status === 'fulfilled' && answer.value)).toEqual(
    asks.map((ask) => ask !== 'bad' && `${ask}!`),
  );
  await vi.waitFor(() => expect(trips.at(-1)).toEqual(['home']), 10_000);
  expect(trips).toEqual([['a'], ['b', 'c', 'd'], ['bad', 'e'], ['bad'], ['e'], ['home']]);
});
