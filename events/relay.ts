// The relay: brings the outbox into Kafka in order and moves what was acknowledged to the log.
import { setTimeout as sleep } from 'node:timers/promises';
import type { OutboxSession } from '../db/outbox-session.ts';
import { type Delivered, deliver } from './delivery.ts';
import { type Kafka, listTopics, openProducer, type Producer } from './kafka.ts';
import { ensureTopics, FACT_TOPICS } from './topics.ts';

/** Half as many rounds as with 500, the limit being Kafka's 1 MiB a batch (see delivery.ts). */
const BATCH = 1000;
const POLL_MS = 250;
const REBALANCE_MS = 1000;
/** A relay that cannot deliver for so long gives its shards to one that perhaps can. */
const GIVE_UP_MS = 10_000;
const MAX_PAUSE_MS = 2000;

/** What the relay tells its host; `trouble` is for the log, the rest for metrics. */
export type RelayObserver = {
  readonly published: (count: number) => void;
  readonly parked: (count: number) => void;
  readonly depth: (depth: { readonly rows: number; readonly oldestSeconds: number }) => void;
  readonly shards: (count: number) => void;
  readonly trouble: (message: string, error: unknown) => void;
};

export type RelayDeps = {
  readonly openSession: () => Promise<OutboxSession>;
  readonly kafka: Kafka;
  readonly observer: RelayObserver;
  /** Whether each event sent gets a span; false by default. */
  readonly traces?: boolean;
};

export type Relay = {
  /** Finishes the batch in hand, settles it and gives the shards back. */
  readonly stop: () => Promise<void>;
  /** Whether it has its place among the relays and works. */
  readonly working: () => boolean;
};

/** Starts a relay that runs until stopped; it survives the loss of PostgreSQL and of Kafka. */
export function startRelay(deps: RelayDeps): Relay {
  const stopping = new AbortController();
  const state = { working: false };
  const done = (async () => {
    let pause = 100;
    while (!stopping.signal.aborted) {
      try {
        await runSession(deps, stopping.signal, () => {
          state.working = true;
          pause = 100;
        });
      } catch (error) {
        if (!stopping.signal.aborted) deps.observer.trouble('relay session ended', error);
      }
      state.working = false;
      deps.observer.shards(0);
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
      pause = Math.min(pause * 2, MAX_PAUSE_MS);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await done;
    },
    working: () => state.working,
  };
}

/** From connecting to the first failure (or stop). Locks are released by the session's end. */
async function runSession(deps: RelayDeps, stop: AbortSignal, started: () => void): Promise<void> {
  const session = await deps.openSession();
  const link = createLink(deps, stop);
  try {
    await pump(session, link, deps.observer, stop, started);
  } finally {
    await link.close();
    await session.close().catch(() => undefined);
  }
}

type InHand = { readonly ids: readonly number[]; readonly delivered: Promise<Delivered> };

/**
 * Reads batch n+1 while batch n travels, and settles n while n+1 travels. Ids rise in commit order
 * within an aggregate (its row is locked), but not across aggregates: a late committer shows up
 * below ids that have been read. So every read starts from the beginning; one that went on from the
 * last id could meet an aggregate's next event before the one that was committed late.
 */
async function pump(
  session: OutboxSession,
  link: Link,
  observer: RelayObserver,
  stop: AbortSignal,
  started: () => void,
): Promise<void> {
  let rebalanceAt = 0;
  let inHand: InHand | null = null;
  const finish = async (batch: InHand): Promise<void> => {
    inHand = null;
    await settle(session, await batch.delivered, observer);
  };
  while (!stop.aborted) {
    if (Date.now() >= rebalanceAt) {
      // With nothing in hand, so that no shard is given away while its events travel.
      if (inHand !== null) await finish(inHand);
      await tick(session, observer);
      rebalanceAt = Date.now() + REBALANCE_MS;
      started();
    }
    const except: readonly number[] = (inHand as InHand | null)?.ids ?? [];
    const rows = await session.read({ except, limit: BATCH });
    const before: Delivered | null = inHand === null ? null : await (inHand as InHand).delivered;
    inHand = null;
    if (rows.length > 0) {
      const delivered = link.deliver(rows, before?.parkedAggregates ?? new Set());
      // Its failure is met where it is awaited; until then it must not count as unhandled.
      delivered.catch(() => undefined);
      inHand = { ids: rows.map((row) => row.id), delivered };
    }
    if (before !== null) await settle(session, before, observer);
    if (rows.length === 0 && before === null) await session.nap(POLL_MS);
  }
  if (inHand !== null) await finish(inHand);
}

async function settle(
  session: OutboxSession,
  { published, parked }: Delivered,
  observer: RelayObserver,
): Promise<void> {
  await session.settle(published, parked);
  observer.published(published.length);
  if (parked.length > 0) observer.parked(parked.length);
}

async function tick(session: OutboxSession, observer: RelayObserver): Promise<void> {
  await session.rebalance();
  observer.shards(session.shards().length);
  await session.unpark();
  observer.depth(await session.depth());
}

type Link = {
  readonly deliver: (
    rows: Parameters<typeof deliver>[1],
    parkedBefore: ReadonlySet<string>,
  ) => Promise<Delivered>;
  readonly close: () => Promise<void>;
};

/** The way to Kafka: tries a batch again with a new producer until `GIVE_UP_MS` have passed. */
function createLink({ kafka, observer, traces = false }: RelayDeps, stop: AbortSignal): Link {
  let producer: Promise<Producer> | null = null;
  let topics: ReadonlySet<string> = new Set();
  let ensured: Promise<unknown> | null = null;
  const send: Producer['send'] = async (topic, messages) => {
    producer ??= openProducer(kafka);
    await (await producer).send(topic, messages);
  };
  const topicExists = async (topic: string) => {
    if (!topics.has(topic)) topics = await listTopics(kafka);
    if (topics.has(topic) || !FACT_TOPICS.includes(topic)) return topics.has(topic);
    // One of ours that set-up forgot or somebody dropped: better made again than its events parked.
    ensured ??= ensureTopics(kafka).catch((error) => observer.trouble('topics not made', error));
    await ensured;
    topics = await listTopics(kafka);
    return topics.has(topic);
  };
  const hangUp = async () => {
    await producer?.then((open) => open.close()).catch(() => undefined);
    producer = null;
    topics = new Set();
    ensured = null;
  };
  let isClosed = false;
  return {
    close: async () => {
      isClosed = true;
      await hangUp();
    },
    deliver: async (rows, parkedBefore) => {
      const deadline = Date.now() + GIVE_UP_MS;
      ensured = null;
      for (let pause = 100; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
        try {
          return await deliver({ send, topicExists, traces }, rows, parkedBefore);
        } catch (error) {
          await hangUp();
          // Once the session is over, its batch is another one's to send.
          if (isClosed || stop.aborted || Date.now() >= deadline) throw error;
          observer.trouble('Kafka did not take a batch', error);
          await sleep(pause);
        }
      }
    },
  };
}
