// Bench `post`: guarded, idempotent posting with its event, against the same rows in plain SQL.
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { openDb } from '../db/client.ts';
import { openLegalEntity } from '../db/commands/accounting.ts';
import { postEntry } from '../db/commands/entries.ts';
import { migrate } from '../db/migrate.ts';
import type { Account } from '../domain/ledger.ts';
import type { BenchContext, Figure } from './figure.ts';
import { ACCOUNTS, findPgbench, RAW_TABLES, rawByPgbench, rawFromNode } from './post-floor.ts';

const CONNECTIONS = 8;
const SECONDS = 4;
const WARM_UP_SECONDS = 3;
const PAIRS = 5;
const ENTITY = 'FC-BENCH';
const CLERK = 'staff:bench';

/** In a database of its own, so that nothing else is in its tables. */
export async function run(context: BenchContext): Promise<Figure[]> {
  const name = `forecourt_bench_post_${process.pid}`;
  const ownerUrl = withDatabase(context.ownerUrl, name);
  const databaseUrl = withDatabase(context.databaseUrl, name);
  await asOwner(context.ownerUrl, `create database ${name}`);
  try {
    await migrate(ownerUrl, databaseUrl);
    await asOwner(ownerUrl, RAW_TABLES);
    return [await measure(ownerUrl, databaseUrl)];
  } finally {
    await asOwner(context.ownerUrl, `drop database if exists ${name} with (force)`);
  }
}

async function measure(ownerUrl: string, databaseUrl: string): Promise<Figure> {
  const db = openDb(databaseUrl, { max: CONNECTIONS });
  const pool = new pg.Pool({ connectionString: ownerUrl, max: CONNECTIONS });
  try {
    await openLegalEntity(db, CLERK, entity(), chart());
    const pgbench = await findPgbench();
    const guarded = (seconds: number) => rate(seconds, () => postEntry(db, CLERK, entry()));
    const floor = (seconds: number) =>
      pgbench === null
        ? rate(seconds, () => rawFromNode(pool))
        : rawByPgbench(pgbench, ownerUrl, CONNECTIONS, seconds);
    await guarded(WARM_UP_SECONDS);
    await floor(WARM_UP_SECONDS);
    const values: number[] = [];
    const floors: number[] = [];
    for (let pair = 0; pair < PAIRS; pair += 1) {
      floors.push(await floor(SECONDS));
      values.push(await guarded(SECONDS));
    }
    return figure(values, floors, pgbench === null);
  } finally {
    await pool.end();
    await db.destroy();
  }
}

function figure(
  values: readonly number[],
  floors: readonly number[],
  withoutPgbench: boolean,
): Figure {
  const ratio = median(values.map((value, pair) => value / (floors[pair] ?? Number.NaN)));
  const goal = withoutPgbench ? 0.55 : 0.4;
  return {
    bench: 'post',
    figure: `guarded posting, ${withoutPgbench ? 'raw SQL from Node' : 'pgbench raw + balances'}`,
    value: Math.round(median(values)),
    unit: 'entries/s',
    floor: Math.round(median(floors)),
    ratio: Math.round(ratio * 1_000) / 1_000,
    goal: `>= ${goal} x floor`,
    met: ratio >= goal,
  };
}

/** Calls a second that `CONNECTIONS` callers get done, one after another each. */
async function rate(seconds: number, work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  const end = begin + seconds * 1_000;
  let done = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < end) {
      await work();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, caller));
  return (done * 1_000) / (performance.now() - begin);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function entity() {
  return { id: ENTITY, name: 'Bench', functionalCurrency: 'EUR', timeZone: 'Europe/Vienna' };
}

/** As many accounts as the floor has, all with a kept balance: debits meet half, credits half. */
function chart(): readonly Account[] {
  return Array.from({ length: ACCOUNTS }, (_, index) => ({
    code: String(index + 1),
    name: `Account ${index + 1}`,
    type: 'asset' as const,
    currency: 'EUR',
    liveBalance: true,
  }));
}

function entry() {
  const half = ACCOUNTS / 2;
  const pick = (): number => 1 + Math.floor(Math.random() * half);
  const amount = 1 + Math.floor(Math.random() * 100_000);
  return {
    entityId: ENTITY,
    effectiveAt: '2027-03-15T10:00:00.000Z',
    postingDate: '2027-03-15',
    idempotencyKey: `bench/${uuidv7()}`,
    source: 'bench',
    postings: [leg(pick(), amount), leg(half + pick(), -amount)],
  };
}

function leg(account: number, minor: number) {
  return { account: String(account), currency: 'EUR', amountMinor: minor, baseMinor: minor };
}

function withDatabase(url: string, name: string): string {
  const named = new URL(url);
  named.pathname = `/${name}`;
  return named.href;
}

async function asOwner(url: string, statements: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statements);
  } finally {
    await client.end();
  }
}
