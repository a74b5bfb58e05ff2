// What the relay promises: order within an aggregate, nothing lost, no event in another's way.
import { connect, createServer, type Server } from 'node:net';
import { sql } from 'kysely';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { openOutboxSession } from '../../db/outbox-session.ts';
import { WAKE_CHANNEL, wakeRelay } from '../../db/wake.ts';
import { createTopics, openKafka } from '../../events/kafka.ts';
import { listParked, retryParked } from '../../events/replay.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import {
  countOf,
  eventSetting,
  messagesOf,
  noShow,
  publishAs,
  relayFor,
  type Setting,
  sequences,
  upTo,
  waitFor,
} from './setting.ts';

let at: TestDatabase;
let setting: Setting;
beforeAll(async () => {
  at = await testDatabase();
  setting = await eventSetting(at.owner);
});

const drained = () =>
  waitFor('an empty outbox', async () => (await countOf(at.owner, 'events.outbox')) === 0);

async function arrived(keys: readonly string[]): Promise<Map<string, number[]>> {
  const all = sequences(await messagesOf(setting.kafka, setting.topic));
  return new Map(keys.map((key) => [key, all.get(key) ?? []]));
}

describe('the relay', () => {
  it('brings every aggregate’s events in order and moves them into the log', async () => {
    const keys = Array.from({ length: 40 }, () => uuidv7());
    for (const n of upTo(25)) await publishAs(at.db, ...keys.map((key) => noShow(key, n)));
    const { relay } = relayFor(at.url, setting.kafka);
    await drained();
    await relay.stop();
    expect(await arrived(keys)).toEqual(new Map(keys.map((key) => [key, upTo(25)])));
    expect(await countOf(at.owner, 'events.log')).toBe(1000);
  });

  it('is woken by the commit, not by the clock', async () => {
    const session = await openOutboxSession(at.url);
    const start = Date.now();
    const nap = session.nap(25_000);
    await publishAs(at.db, noShow(uuidv7(), 1));
    await nap;
    await session.close();
    expect(Date.now() - start).toBeLessThan(10_000);
  });

  it('is woken at most once per process and 20 ms', async () => {
    const listener = new pg.Client({ connectionString: at.url });
    await listener.connect();
    let heard = 0;
    listener.on('notification', () => {
      heard += 1;
    });
    await listener.query(`listen ${WAKE_CHANNEL}`);
    // The pause after what was published before must be over.
    await new Promise((resolve) => setTimeout(resolve, 100));
    heard = 0;
    // Many commits at once: the first wakes at once, all others together 20 ms later.
    for (let n = 0; n < 100; n += 1) wakeRelay(at.db);
    try {
      await waitFor('the second', () => heard >= 2);
      await new Promise((resolve) => setTimeout(resolve, 200));
    } finally {
      await listener.end();
    }
    expect(heard).toBe(2);
  });

  it('finds a row that commits after younger ones were sent', async () => {
    const { relay } = relayFor(at.url, setting.kafka);
    const [late, early] = [uuidv7(), uuidv7()];
    let commit: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      commit = resolve;
    });
    const slow = at.owner.transaction().execute(async (tx) => {
      await sql`insert into events.outbox (event_id, topic, aggregate_id, seq, type, event)
        values (gen_random_uuid(), ${setting.topic}, ${late}, 1, 't',
          ${JSON.stringify({ id: uuidv7(), sequence: '1' })})`.execute(tx);
      await held;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await publishAs(at.db, noShow(early, 1));
    await waitFor('the younger', async () => (await arrived([early])).get(early)?.length === 1);
    commit();
    await slow;
    await drained();
    await relay.stop();
    expect(await arrived([late])).toEqual(new Map([[late, [1]]]));
  });

  it('shares the shards evenly and moves a lost relay’s within 5 s', async () => {
    const relays = [relayFor(at.url, setting.kafka), relayFor(at.url, setting.kafka)];
    const owners = async () => {
      const { rows } = await sql<{ pid: number; n: number }>`select pid, count(*) as n from pg_locks
        where locktype = 'advisory' and classid = 4211002 and granted and database =
          (select oid from pg_database where datname = current_database()) group by pid`.execute(
        at.owner,
      );
      return rows;
    };
    await waitFor('8 and 8', async () => (await owners()).map((o) => o.n).join() === '8,8');
    const [lost] = await owners();
    const [victim] = relays;
    await victim?.relay.stop();
    const start = Date.now();
    await waitFor('all 16', async () => (await owners()).map((o) => o.n).join() === '16');
    expect(Date.now() - start).toBeLessThan(5000);
    const [left] = await owners();
    await sql`select pg_terminate_backend(${left?.pid ?? lost?.pid ?? 0})`.execute(at.owner);
    const key = uuidv7();
    await publishAs(at.db, noShow(key, 1));
    await drained();
    await relays[1]?.relay.stop();
    expect(await arrived([key])).toEqual(new Map([[key, [1]]]));
  });
});

describe('an event that Kafka refuses', () => {
  it('parks with what follows of its aggregate, and the others pass', async () => {
    const [bad, good] = [uuidv7(), uuidv7()];
    const big = noShow(bad, 2);
    await publishAs(at.db, noShow(bad, 1), noShow(good, 1));
    await publishAs(at.db, { ...big, data: { ...big.data, status: 'x'.repeat(2_000_000) } });
    await publishAs(at.db, noShow(bad, 3), noShow(good, 2));
    const { relay, witness } = relayFor(at.url, setting.kafka);
    await drained();
    await publishAs(at.db, noShow(bad, 4), noShow(good, 3));
    await drained();
    await relay.stop();
    expect(await arrived([bad, good])).toEqual(
      new Map([
        [bad, [1]],
        [good, [1, 2, 3]],
      ]),
    );
    expect(witness.parked).toBe(3);
    expect((await listParked(at.db)).map((row) => row.reason)).toEqual([
      'Kafka refused it: MESSAGE_TOO_LARGE',
      'behind a parked event of its aggregate',
      'behind a parked event of its aggregate',
    ]);
    await sql`delete from events.parked`.execute(at.owner);
  });

  it('goes out in order once its cause is gone and a retry was asked for', async () => {
    const [lost, fine] = [uuidv7(), uuidv7()];
    const topic = `${setting.prefix}not-yet-there`;
    await publishAs(at.db, noShow(lost, 1), noShow(lost, 2), noShow(fine, 1));
    await sql`update events.outbox set topic = ${topic} where aggregate_id = ${lost}`.execute(
      at.owner,
    );
    const { relay } = relayFor(at.url, setting.kafka);
    await drained();
    expect(await countOf(at.owner, 'events.parked')).toBe(2);
    await createTopics(setting.kafka, [{ topic }], { partitions: 1, replication: 1 });
    await publishAs(at.db, noShow(lost, 3));
    await drained();
    expect(await retryParked(at.db)).toBe(3);
    await waitFor('no parked', async () => (await countOf(at.owner, 'events.parked')) === 0);
    await drained();
    await relay.stop();
    expect(sequences(await messagesOf(setting.kafka, topic)).get(lost)).toEqual([1, 2]);
    expect(await arrived([lost, fine])).toEqual(
      new Map([
        [lost, [3]],
        [fine, [1]],
      ]),
    );
  });
});

describe('Kafka out of reach', () => {
  it('parks nothing, loses nothing, and everything leaves once it is back', async () => {
    const parked = await countOf(at.owner, 'events.parked');
    const key = uuidv7();
    const { proxy, port, open } = await closedDoor(inject('servers').kafkaBrokers);
    const { relay, witness } = relayFor(at.url, openKafka([`127.0.0.1:${port}`], 'forecourt-test'));
    for (const n of upTo(30)) await publishAs(at.db, noShow(key, n));
    await waitFor('trouble', () => witness.troubles > 0);
    expect(await countOf(at.owner, 'events.outbox')).toBe(30);
    open();
    await drained();
    await relay.stop();
    proxy.close();
    expect(await countOf(at.owner, 'events.parked')).toBe(parked);
    expect(await arrived([key])).toEqual(new Map([[key, upTo(30)]]));
  });
});

/** The way to the first broker, shut until `open` is called. */
async function closedDoor(
  brokers: string,
): Promise<{ proxy: Server; port: number; open: () => void }> {
  const [host = '', target = ''] = (brokers.split(',')[0] ?? '').split(':');
  let isOpen = false;
  const proxy = createServer((from) => {
    from.on('error', () => undefined);
    if (!isOpen) {
      from.destroy();
      return;
    }
    const to = connect(Number(target), host);
    to.on('error', () => from.destroy());
    from.pipe(to).pipe(from);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    proxy,
    port,
    open: () => {
      isOpen = true;
    },
  };
}
