// Brings one batch of the outbox into Kafka: in order, with what Kafka refuses set aside.
import { SpanStatusCode } from '@opentelemetry/api';
import type { ParkedEvent, QueuedEvent } from '../db/outbox-session.ts';
import { type Message, type Producer, refusalOf } from './kafka.ts';
import { startSendSpan, traceparentOf } from './send-spans.ts';

/** Below Kafka's default of 1 MiB a batch, so that only an event alone can be too large. */
const CHUNK_BYTES = 900_000;
/** Key, headers and framing of one message. */
const OVERHEAD_BYTES = 190;

const CONTENT_TYPE = 'application/cloudevents+json';
const UNTRACED = { 'content-type': CONTENT_TYPE } as const;

export type Delivered = {
  readonly published: readonly number[];
  readonly parked: readonly ParkedEvent[];
  /** Aggregates whose later events must wait from now on. */
  readonly parkedAggregates: ReadonlySet<string>;
};

export type DeliveryPort = {
  readonly send: Producer['send'];
  readonly topicExists: (topic: string) => Promise<boolean>;
  /** Whether each event gets a span: only where somebody collects them. */
  readonly traces?: boolean;
};

/**
 * Sends `rows` (in outbox order). An event that Kafka refuses for itself is parked, and with it
 * the later ones of its aggregate: consumers rather miss the rest of one rental for a while than
 * see it out of order. Throws when Kafka is in trouble; then nothing is parked for that.
 */
export async function deliver(
  port: DeliveryPort,
  rows: readonly QueuedEvent[],
  parkedBefore: ReadonlySet<string>,
): Promise<Delivered> {
  const published: number[] = [];
  const parked: ParkedEvent[] = [];
  const parkedAggregates = new Set<string>();
  const park = (row: QueuedEvent, reason: string) => {
    parked.push({ id: row.id, reason });
    parkedAggregates.add(row.aggregateId);
  };
  const isBehind = (row: QueuedEvent) =>
    row.behindParked || parkedBefore.has(row.aggregateId) || parkedAggregates.has(row.aggregateId);

  const sendAlone = async (row: QueuedEvent) => {
    if (isBehind(row)) return park(row, 'behind a parked event of its aggregate');
    try {
      await sendRows(port, row.topic, [row]);
      published.push(row.id);
    } catch (error) {
      park(row, await reasonToPark(port, row.topic, error));
    }
  };
  const sendChunk = async (topic: string, chunk: readonly QueuedEvent[]) => {
    const free = chunk.filter((row) => !isBehind(row));
    if (free.length === chunk.length) {
      try {
        await sendRows(port, topic, free);
        for (const row of free) published.push(row.id);
        return;
      } catch (error) {
        await reasonToPark(port, topic, error);
      }
    }
    for (const row of chunk) await sendAlone(row);
  };
  const sendTopic = async ([topic, ofTopic]: readonly [string, readonly QueuedEvent[]]) => {
    if (await port.topicExists(topic)) {
      for (const chunk of chunks(ofTopic)) await sendChunk(topic, chunk);
    } else {
      for (const row of ofTopic) park(row, 'the topic does not exist');
    }
  };
  // All must have ended before anything is tried again, or a straggler could overtake.
  const sent = await Promise.allSettled([...byTopic(rows)].map(sendTopic));
  for (const result of sent) if (result.status === 'rejected') throw result.reason;
  return { published, parked, parkedAggregates };
}

/** Says what is wrong with the event; rethrows when it is Kafka that is in trouble. */
async function reasonToPark(port: DeliveryPort, topic: string, error: unknown): Promise<string> {
  const refusal = refusalOf(error);
  if (refusal !== null) return `Kafka refused it: ${refusal}`;
  if (!(await port.topicExists(topic))) return 'the topic does not exist';
  throw error;
}

async function sendRows(
  port: DeliveryPort,
  topic: string,
  rows: readonly QueuedEvent[],
): Promise<void> {
  if (!port.traces) {
    await port.send(
      topic,
      rows.map((row) => toMessage(row, traceparentOf(row.event))),
    );
    return;
  }
  const sending = rows.map(startSendSpan);
  try {
    await port.send(
      topic,
      rows.map((row, n) => toMessage(row, sending[n]?.traceparent ?? null)),
    );
  } catch (error) {
    for (const one of sending) one?.span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    for (const one of sending) one?.span.end();
  }
}

function toMessage(row: QueuedEvent, traceparent: string | null): Message {
  const headers = traceparent === null ? UNTRACED : { 'content-type': CONTENT_TYPE, traceparent };
  return { key: row.aggregateId, value: row.event, headers };
}

function byTopic(rows: readonly QueuedEvent[]): ReadonlyMap<string, readonly QueuedEvent[]> {
  return Map.groupBy(rows, (row) => row.topic);
}

function* chunks(rows: readonly QueuedEvent[]): Generator<readonly QueuedEvent[]> {
  let chunk: QueuedEvent[] = [];
  let size = 0;
  for (const row of rows) {
    const bytes = Buffer.byteLength(row.event) + OVERHEAD_BYTES;
    if (chunk.length > 0 && size + bytes > CHUNK_BYTES) {
      yield chunk;
      chunk = [];
      size = 0;
    }
    chunk.push(row);
    size += bytes;
  }
  if (chunk.length > 0) yield chunk;
}
