// The intake killed in the middle of batches, again and again: no reading lost, none twice.
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { deadTopicOf } from '../../events/topics.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { messagesOf, waitFor } from './setting.ts';
import { message, send, stored, type Telematics, telematics } from './telematics.ts';

const VEHICLES = 40;
const EACH = 250;
const KILLS = 4;

let at: TestDatabase;
let own: Telematics;
let child: ChildProcess | undefined;
beforeAll(async () => {
  at = await testDatabase();
  own = await telematics(at, { vehicles: VEHICLES });
});
afterAll(() => {
  child?.kill('SIGKILL');
});

function startIntake(): void {
  const path = (file: string) => fileURLToPath(new URL(`../support/${file}`, import.meta.url));
  const { topic: TOPIC, group: GROUP } = own;
  const KAFKA_BROKERS = inject('servers').kafkaBrokers;
  child = spawn(
    process.execPath,
    ['--import', path('end-with-parent.ts'), path('telematics-intake.ts')],
    {
      env: { ...process.env, DATABASE_URL: at.url, KAFKA_BROKERS, TOPIC, GROUP },
      stdio: 'ignore',
    },
  );
}

/** Inside a batch for certain: a transaction of the intake that has stored, not yet committed. */
async function killInsideBatch(): Promise<void> {
  await waitFor('a batch is open', async () => {
    const { rows } = await sql`select from pg_stat_activity where datname = current_database()
      and state = 'active' and query like '%record_readings%' and pid <> pg_backend_pid()`.execute(
      at.owner,
    );
    return rows.length > 0;
  });
  child?.kill('SIGKILL');
}

it('keeps every reading once', { timeout: 180_000 }, async () => {
  const total = VEHICLES * EACH;
  // Slow enough that a kill meets an open batch.
  await sql`create function public.linger() returns trigger language plpgsql as $$ begin
    perform pg_sleep(0.2); return null; end $$`.execute(at.owner);
  await sql`create trigger linger after insert on vehicles.reading
    for each statement execute function public.linger()`.execute(at.owner);
  const minutes = Array.from({ length: EACH }, (_, n) => n);
  await send(
    own,
    minutes.flatMap((n) => own.vehicleIds.map((id) => message(id, n))),
  );
  for (let n = 0; n < KILLS; n += 1) {
    startIntake();
    await killInsideBatch();
    // Its connections end when the server notices; what was open is undone then.
    await sleep(300);
  }
  const before = await stored(at);
  expect(before.n).toBeLessThan(total);
  startIntake();
  await waitFor('all stored', async () => (await stored(at)).n === total, 120_000);
  expect(await stored(at)).toEqual({ n: total, distinct: total, queued: 0 });
  expect(await messagesOf(own.kafka, deadTopicOf(own.topic))).toEqual([]);
});
