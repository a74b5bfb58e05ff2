// The floor of `post`: plain SQL for an entry, two lines and ordered balances, without any guard.
import { spawn } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type pg from 'pg';

export const ACCOUNTS = 1_000;

/** Where Debian's postgresql packages keep it when it is not on PATH. */
const PLACES = ['', ...[18, 17, 16, 15].map((version) => `/usr/lib/postgresql/${version}/bin`)];

export const RAW_TABLES = `
  create schema raw;
  create table raw.entry (id uuid primary key, posting_date date not null,
    effective_at timestamptz not null, source text not null,
    created_at timestamptz not null default now());
  create table raw.line (entry_id uuid not null, line_no smallint not null, account_id int not null,
    period_id int not null, currency text not null, amount bigint not null,
    primary key (entry_id, line_no));
  create table raw.balance (account_id int not null, period_id int not null, currency text not null,
    debit bigint not null, credit bigint not null,
    primary key (account_id, period_id, currency)) with (fillfactor = 50)`;

/** One statement and so one round trip: the fastest form of it that we know. */
function rawEntry(debit: string, credit: string, amount: string): string {
  return `with legs (no, account, amount) as (
      values (1, ${debit}::int, ${amount}::bigint), (2, ${credit}::int, -${amount}::bigint)),
    entry as (insert into raw.entry (id, posting_date, effective_at, source)
      values (uuidv7(), current_date, now(), 'bench') returning id),
    lines as (insert into raw.line (entry_id, line_no, account_id, period_id, currency, amount)
      select entry.id, no, account, 1, 'EUR', amount from entry, legs)
    insert into raw.balance as b (account_id, period_id, currency, debit, credit)
    select account, 1, 'EUR', greatest(amount, 0), greatest(-amount, 0) from legs order by account
    on conflict (account_id, period_id, currency) do update
      set debit = b.debit + excluded.debit, credit = b.credit + excluded.credit`;
}

/** The path of pgbench, or null where there is none. */
export async function findPgbench(): Promise<string | null> {
  const folders = [...(process.env['PATH'] ?? '').split(':'), ...PLACES.slice(1)];
  for (const folder of folders.filter((name) => name !== '')) {
    const candidate = path.join(folder, 'pgbench');
    if (await runs(candidate)) return candidate;
  }
  return null;
}

async function runs(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** Entries a second of the raw SQL from pgbench, prepared, at `connections` for `seconds`. */
export async function rawByPgbench(
  pgbench: string,
  url: string,
  connections: number,
  seconds: number,
): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), 'forecourt-bench-'));
  try {
    const script = path.join(folder, 'raw.sql');
    const half = ACCOUNTS / 2;
    await writeFile(
      script,
      `\\set d random(1, ${half})\n\\set c random(${half + 1}, ${ACCOUNTS})\n` +
        `\\set m random(1, 100000)\n${rawEntry(':d', ':c', ':m').replaceAll('\n', ' ')};\n`,
    );
    const load = ['-c', String(connections), '-j', '2', '-T', String(seconds)];
    const output = await outputOf(pgbench, ['-n', '-M', 'prepared', ...load, '-f', script, url]);
    const tps = /tps = ([0-9.]+)/.exec(output)?.[1];
    if (tps === undefined) throw new Error(`pgbench said no rate: ${output}`);
    return Number(tps);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function outputOf(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(output))));
  });
}

/** The same SQL from this process, where pgbench is not to be had: one posting by `pool`. */
export async function rawFromNode(pool: pg.Pool): Promise<void> {
  const half = ACCOUNTS / 2;
  const pick = (): number => 1 + Math.floor(Math.random() * half);
  await pool.query({
    name: 'raw-entry',
    text: rawEntry('$1', '$2', '$3'),
    values: [pick(), half + pick(), 1 + Math.floor(Math.random() * 100_000)],
  });
}
