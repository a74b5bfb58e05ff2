// A consumer: every event once in effect, in order within its key, and no message stops the rest.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, context, propagation, type Span, trace } from '@opentelemetry/api';
import { type Db, transact } from '../db/client.ts';
import { parseEvent } from './contracts.ts';
import { toDeadLetter } from './dead-letters.ts';
import { type Dead, type Handle, handleBatch, holdDead, type Incoming, incoming } from './inbox.ts';
import { type Batch, consume, type Kafka, openProducer, toMessage } from './kafka.ts';

const ATTEMPTS = 4;
const FIRST_BACKOFF_MS = 50;
const CHUNK = 500;
const MAX_PAUSE_MS = 2000;

export type ConsumerObserver = {
  readonly handled: (count: number) => void;
  readonly dead: (count: number) => void;
  readonly trouble: (message: string, error: unknown) => void;
};

export type ConsumerDeps = {
  readonly db: Db;
  readonly kafka: Kafka;
  readonly observer: ConsumerObserver;
};

export type ConsumerPlan = {
  /** Names the group, the inbox rows and the dead letters: never change it. */
  readonly name: string;
  readonly topics: readonly string[];
  readonly handle: Handle;
  /** For tests that must not share a group; the name by default. */
  readonly groupId?: string;
};

/**
 * Runs until stopped. A message that fails four times, or that breaks its contract, goes to
 * `<topic>.dead`; a server that is away is nobody's fault and is waited for.
 */
export function runConsumer(
  deps: ConsumerDeps,
  plan: ConsumerPlan,
): { readonly stop: () => Promise<void> } {
  const stopping = new AbortController();
  const reading = consume(deps.kafka, {
    groupId: plan.groupId ?? `forecourt.${plan.name}`,
    topics: plan.topics,
    eachBatch: (batch) => takeBatch(deps, plan, batch, stopping.signal),
    onTrouble: (error) => deps.observer.trouble(`consumer ${plan.name}`, error),
  });
  return {
    stop: async () => {
      stopping.abort();
      await reading.stop();
    },
  };
}

async function takeBatch(
  deps: ConsumerDeps,
  plan: ConsumerPlan,
  { batch, ...kafka }: Batch,
  stop: AbortSignal,
): Promise<void> {
  const messages = batch.messages.map((m) => toMessage(batch.topic, batch.partition, m));
  for (let start = 0; start < messages.length; start += CHUNK) {
    if (!kafka.isRunning() || kafka.isStale() || stop.aborted) return;
    const chunk = messages.slice(start, start + CHUNK).map((m) => incoming(m, parseEvent));
    const dead = await patiently(deps, kafka.heartbeat, stop, () =>
      processChunk(deps, plan, chunk, kafka.heartbeat),
    );
    if (dead === null) return;
    if (dead.length > 0) {
      const sent = await patiently(deps, kafka.heartbeat, stop, async () => {
        await sendDead(deps.kafka, plan.name, dead);
        return true;
      });
      if (sent === null) return;
      deps.observer.dead(dead.length);
    }
    deps.observer.handled(chunk.length - dead.length);
    // Only now may the offset move: before the commit a crash would lose the messages.
    kafka.resolveOffset(chunk.at(-1)?.message.offset ?? batch.lastOffset());
    await kafka.commitOffsetsIfNecessary(kafka.uncommittedOffsets());
    await kafka.heartbeat();
  }
  kafka.resolveOffset(batch.lastOffset());
}

/** The whole chunk in one transaction; when that fails, message by message to find the culprit. */
async function processChunk(
  { db }: ConsumerDeps,
  plan: ConsumerPlan,
  chunk: readonly Incoming[],
  heartbeat: () => Promise<void>,
): Promise<readonly Dead[]> {
  const inOne = (part: readonly Incoming[]) =>
    transact(db, 'events_rw', `system:${plan.name}`, (tx) =>
      handleBatch(tx, plan.name, part, plan.handle),
    );
  return inSpan(plan, chunk, async () => {
    try {
      return await inOne(chunk);
    } catch (error) {
      if (isOutage(error)) throw error;
    }
    const dead: Dead[] = [];
    for (const one of chunk) {
      dead.push(...(await alone(db, plan, one, () => inOne([one]))));
      // Retries take their time; without this the group would think us gone.
      await heartbeat();
    }
    return dead;
  });
}

async function alone(
  db: Db,
  plan: ConsumerPlan,
  one: Incoming,
  tryOnce: () => Promise<readonly Dead[]>,
): Promise<readonly Dead[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryOnce();
    } catch (error) {
      if (isOutage(error)) throw error;
      if (attempt === ATTEMPTS) {
        const dead = { incoming: one, error: describe(error), attempts: attempt };
        await transact(db, 'events_rw', `system:${plan.name}`, (tx) =>
          holdDead(tx, plan.name, dead),
        );
        return [dead];
      }
      await sleep(FIRST_BACKOFF_MS * 2 ** (attempt - 1));
    }
  }
}

/** Repeats `work` while a server is away, keeping our place in the group; null when stopped. */
export async function patiently<T>(
  { observer }: ConsumerDeps,
  heartbeat: () => Promise<void>,
  stop: AbortSignal,
  work: () => Promise<T>,
): Promise<T | null> {
  for (let pause = 100; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      if (stop.aborted) return null;
      observer.trouble('waiting for a server', error);
      await sleep(pause);
      await heartbeat();
    }
  }
}

async function sendDead(kafka: Kafka, consumer: string, dead: readonly Dead[]): Promise<void> {
  const producer = await openProducer(kafka);
  try {
    for (const { incoming: one, error, attempts } of dead) {
      const letter = toDeadLetter(one.message, consumer, error, attempts);
      await producer.send(letter.topic, [letter.message]);
    }
  } finally {
    await producer.close().catch(() => undefined);
  }
}

/** For handlers that need a server of another kind: it is away, which is waited for. */
export class ServerAway extends Error {
  constructor(server: string, cause: unknown) {
    super(`${server} does not answer.`, { cause });
    this.name = 'ServerAway';
  }
}

/** Connection failures, shutdown, too many connections, deadlock and serialisation failures. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof ServerAway) return true;
  const code = 'code' in error ? String(error.code) : '';
  if (/^(08|53|57P|40001|40P01|E[A-Z]+$)/.test(code)) return true;
  return /connection (terminated|timeout)|client has encountered/i.test(error.message);
}

/** Short and without the values that a database error's detail may quote. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return `${error.name}: ${error.message}`.slice(0, 300);
}

/** One span a chunk, linked to the traces in which its events were published. */
function inSpan<T>(
  plan: ConsumerPlan,
  chunk: readonly Incoming[],
  work: () => Promise<T>,
): Promise<T> {
  const links = chunk.flatMap(({ event }) => {
    const carrier = event?.traceparent ? { traceparent: event.traceparent } : null;
    if (carrier === null) return [];
    const remote: Context = propagation.extract(context.active(), carrier);
    const spanContext = trace.getSpanContext(remote);
    return spanContext === undefined ? [] : [{ context: spanContext }];
  });
  const name = `process ${plan.name}`;
  const options = {
    links: links.slice(0, 32),
    attributes: { 'messaging.batch.message_count': chunk.length },
  };
  return trace.getTracer('forecourt').startActiveSpan(name, options, async (span: Span) => {
    try {
      return await work();
    } finally {
      span.end();
    }
  });
}
