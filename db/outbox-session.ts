// A relay's hold on the outbox: one connection whose locks make it the reader of its shards.
import pg from 'pg';
import { SHARDS } from '../domain/events.ts';
import { WAKE_CHANNEL } from './wake.ts';

/** Classes of advisory locks: a number of ours, so that nobody else's collide. */
const MEMBER_LOCK = 4_211_001;
const SHARD_LOCK = 4_211_002;
const MAX_RELAYS = 64;

export type QueuedEvent = {
  readonly id: number;
  readonly topic: string;
  readonly aggregateId: string;
  readonly event: string;
  /** An earlier event of the aggregate is parked, so this one must not overtake it. */
  readonly behindParked: boolean;
};
export type ParkedEvent = { readonly id: number; readonly reason: string };

export type OutboxSession = {
  readonly shards: () => readonly number[];
  /** Takes and gives back shards so that the relays alive share them evenly. */
  readonly rebalance: () => Promise<void>;
  readonly read: (request: {
    readonly except: readonly number[];
    readonly limit: number;
  }) => Promise<readonly QueuedEvent[]>;
  /** Moves published events into the log and refused ones aside, in one transaction. */
  readonly settle: (published: readonly number[], parked: readonly ParkedEvent[]) => Promise<void>;
  /** Puts parked events whose retry was asked for back in their old place; answers how many. */
  readonly unpark: () => Promise<number>;
  readonly depth: () => Promise<{ readonly rows: number; readonly oldestSeconds: number }>;
  /** Resolves at the next wake-up, or after `ms`. */
  readonly nap: (ms: number) => Promise<void>;
  readonly close: () => Promise<void>;
};

/**
 * Connects as `url`'s login in the role `events_rw`. This is the one place that sets a role for a
 * whole session: the locks must live and die with the very connection that reads and moves rows.
 */
export async function openOutboxSession(url: string): Promise<OutboxSession> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'forecourt-relay',
    connectionTimeoutMillis: 3000,
    query_timeout: 30_000,
    keepAlive: true,
  });
  const bell = createBell(client);
  await client.connect();
  await client.query(`set role events_rw;
    -- The server must notice within 5 s that a relay's machine is gone, and free its shards.
    set tcp_keepalives_idle = 2; set tcp_keepalives_interval = 1; set tcp_keepalives_count = 2;
    set tcp_user_timeout = 4000;
    -- A queue's statistics are always wrong; only the walk along the primary key is ever right.
    set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off;
    listen ${WAKE_CHANNEL}`);
  const member = await takeMembership(client);
  let shards: readonly number[] = [];
  return {
    shards: () => shards,
    rebalance: async () => {
      shards = await shareShards(client, member, shards);
    },
    read: (request) => read(client, shards, request),
    settle: (published, parked) => settle(client, published, parked),
    unpark: () => unpark(client, shards),
    depth: () => depth(client),
    nap: bell.nap,
    close: () => client.end(),
  };
}

function createBell(client: pg.Client): { readonly nap: (ms: number) => Promise<void> } {
  let rung = false;
  let wake: () => void = () => undefined;
  const ring = () => {
    rung = true;
    wake();
  };
  client.on('notification', ring);
  // The next statement fails and tells; here it is only about not sleeping through it.
  client.on('error', ring);
  client.on('end', ring);
  return {
    nap: async (ms) => {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      rung = false;
    },
  };
}

/** The lowest free place among the relays; it frees itself when the session ends, however. */
async function takeMembership(client: pg.Client): Promise<number> {
  for (let place = 0; place < MAX_RELAYS; place += 1) {
    const { rows } = await client.query<{ taken: boolean }>(
      'select pg_try_advisory_lock($1, $2) as taken',
      [MEMBER_LOCK, place],
    );
    if (rows[0]?.taken) return place;
  }
  throw new Error(`More than ${MAX_RELAYS} relays.`);
}

/**
 * Every relay works its share out of the same list of members: shard s belongs to the member at
 * rank s mod n. While lists differ for a moment, the lock still allows one reader a shard.
 */
async function shareShards(
  client: pg.Client,
  member: number,
  held: readonly number[],
): Promise<readonly number[]> {
  const { rows } = await client.query<{ place: number }>(
    `select objid::int as place from pg_locks
      where locktype = 'advisory' and classid = $1::int::oid and objsubid = 2 and granted
        and database = (select oid from pg_database where datname = current_database())
      order by 1`,
    [MEMBER_LOCK],
  );
  const rank = rows.findIndex((row) => row.place === member);
  if (rank < 0) throw new Error('The membership lock is gone.');
  const share = Array.from({ length: SHARDS }, (_, s) => s).filter((s) => s % rows.length === rank);
  const surplus = held.filter((shard) => !share.includes(shard));
  if (surplus.length > 0) {
    await client.query('select pg_advisory_unlock($1, s) from unnest($2::int[]) s', [
      SHARD_LOCK,
      surplus,
    ]);
  }
  const wanted = share.filter((shard) => !held.includes(shard));
  if (wanted.length === 0) return share;
  const taken = await client.query<{ shard: number }>(
    'select s as shard from unnest($2::int[]) s where pg_try_advisory_lock($1, s)',
    [SHARD_LOCK, wanted],
  );
  const kept = held.filter((shard) => share.includes(shard));
  return [...kept, ...taken.rows.map((row) => row.shard)].sort((a, b) => a - b);
}

async function read(
  client: pg.Client,
  shards: readonly number[],
  { except, limit }: Parameters<OutboxSession['read']>[0],
): Promise<readonly QueuedEvent[]> {
  if (shards.length === 0) return [];
  const { rows } = await client.query<[string, string, string, string, boolean]>({
    name: 'outbox-read',
    rowMode: 'array',
    text: `select o.id, o.topic, o.aggregate_id, o.event,
        o.aggregate_id in (select p.aggregate_id from events.parked p)
      from events.outbox o
      where o.shard = any ($1::smallint[]) and o.id <> all ($2::bigint[])
      order by o.id limit $3`,
    values: [shards, except, limit],
  });
  return rows.map(([id, topic, aggregateId, event, behindParked]) => ({
    id: Number(id),
    topic,
    aggregateId,
    event,
    behindParked,
  }));
}

async function settle(
  client: pg.Client,
  published: readonly number[],
  parked: readonly ParkedEvent[],
): Promise<void> {
  const log = { name: 'outbox-log', text: MOVE_TO_LOG, values: [`{${published.join()}}`] };
  if (parked.length === 0) {
    await client.query(log);
    return;
  }
  await client.query('begin');
  await client.query(log);
  await client.query(PARK, [parked.map((row) => row.id), parked.map((row) => row.reason)]);
  await client.query('commit');
}

const MOVE_TO_LOG = `with gone as (delete from events.outbox where id = any ($1::bigint[])
    returning id, event_id, topic, aggregate_id, seq, type, event, created_at)
  insert into events.log (id, event_id, topic, aggregate_id, seq, type, event, created_at)
  select * from gone`;

const PARK = `with gone as (delete from events.outbox where id = any ($1::bigint[]) returning *)
  insert into events.parked
    (id, event_id, topic, aggregate_id, seq, type, event, attempts, created_at, reason)
  select g.id, g.event_id, g.topic, g.aggregate_id, g.seq, g.type, g.event, g.attempts + 1,
    g.created_at, r.reason
  from gone g join unnest($1::bigint[], $2::text[]) r (id, reason) using (id)`;

/** All parked events of an aggregate go back together, under their old ids, hence in order. */
async function unpark(client: pg.Client, shards: readonly number[]): Promise<number> {
  const { rowCount } = await client.query(
    `with back as (delete from events.parked p
        where p.shard = any ($1::smallint[]) and exists (select from events.parked r
          where r.aggregate_id = p.aggregate_id and r.retry_requested_at is not null)
        returning *)
      insert into events.outbox
        (id, event_id, topic, aggregate_id, seq, type, event, attempts, created_at)
      select id, event_id, topic, aggregate_id, seq, type, event, attempts, created_at from back`,
    [shards],
  );
  return rowCount ?? 0;
}

async function depth(
  client: pg.Client,
): Promise<{ readonly rows: number; readonly oldestSeconds: number }> {
  const { rows } = await client.query<{ rows: number; oldest: number }>(
    `select (select count(*) from (select from events.outbox limit 10000) o)::int as rows,
      coalesce((select extract(epoch from now() - created_at)
        from events.outbox order by id limit 1), 0)::float8 as oldest`,
  );
  return { rows: rows[0]?.rows ?? 0, oldestSeconds: Math.max(rows[0]?.oldest ?? 0, 0) };
}
