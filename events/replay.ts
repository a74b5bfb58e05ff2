// Looking at what did not get through, and sending it again.
import { sql } from 'kysely';
import { type Db, transact } from '../db/client.ts';
import { CONSUMER, ORIGIN, toReplay } from './dead-letters.ts';
import { allHeld, release } from './held.ts';
import { type Kafka, listTopics, openProducer, type ReadMessage } from './kafka.ts';
import { readBack } from './read-back.ts';
import { deadTopicOf } from './topics.ts';

const PRINCIPAL = 'system:dead-letters';

/** By topic of origin, and by event id or origin (`topic/partition/offset`). */
export type Selection = { readonly topic?: string | undefined; readonly id?: string | undefined };

export type HeldLetter = Awaited<ReturnType<typeof allHeld>>[number];

/** What consumers gave up on and have not handled since, in order. */
export async function listHeld(db: Db, selection: Selection): Promise<readonly HeldLetter[]> {
  const all = await transact(db, 'events_rw', PRINCIPAL, allHeld);
  return all.filter(
    (held) =>
      (selection.topic === undefined || held.origin.startsWith(`${selection.topic}/`)) &&
      (selection.id === undefined || [held.eventId, held.origin].includes(selection.id)),
  );
}

/**
 * Sends the selected dead letters to their topics again, in their order; answers how many. They
 * count as held until their consumer has handled them, so repeating a replay does no harm.
 */
export async function replayHeld(db: Db, kafka: Kafka, selection: Selection): Promise<number> {
  const held = await listHeld(db, selection);
  const present = await listTopics(kafka);
  const origins = new Set(held.map((one) => topicOfOrigin(one.origin)));
  const letters = new Map<string, ReadMessage>();
  const topics = [...origins].map(deadTopicOf).filter((topic) => present.has(topic));
  await readBack(kafka, topics, (letter) => {
    letters.set(`${letter.headers[CONSUMER]} ${letter.headers[ORIGIN]}`, letter);
  });
  const producer = await openProducer(kafka);
  let sent = 0;
  try {
    for (const one of held) {
      const letter = letters.get(`${one.consumer} ${one.origin}`);
      if (letter === undefined) continue;
      await producer.send(topicOfOrigin(one.origin), [toReplay(letter)]);
      sent += 1;
    }
  } finally {
    await producer.close();
  }
  return sent;
}

/** Gives up on the selected letters for good: their keys go on without them. */
export async function discardHeld(db: Db, selection: Selection): Promise<number> {
  const held = await listHeld(db, selection);
  await transact(db, 'events_rw', PRINCIPAL, async (tx) => {
    for (const one of held) await release(tx, one.consumer, one.origin);
  });
  return held.length;
}

export type ParkedRow = {
  readonly eventId: string;
  readonly type: string;
  readonly aggregateId: string;
  readonly attempts: number;
  readonly reason: string;
};

/** Events that Kafka refused, and those behind them. */
export async function listParked(db: Db): Promise<readonly ParkedRow[]> {
  return transact(db, 'events_rw', PRINCIPAL, async (tx) => {
    const { rows } = await sql<ParkedRow>`select event_id as "eventId", type,
      aggregate_id as "aggregateId", attempts, reason from events.parked order by id`.execute(tx);
    return rows;
  });
}

/** Asks the relay to try the parked events again (it does within a second); answers how many. */
export async function retryParked(db: Db): Promise<number> {
  return transact(db, 'events_rw', PRINCIPAL, async (tx) => {
    const { rows } = await sql`update events.parked set retry_requested_at = now()
      returning id`.execute(tx);
    return rows.length;
  });
}

function topicOfOrigin(origin: string): string {
  return origin.split('/')[0] ?? origin;
}
