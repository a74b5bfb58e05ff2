// Handling messages exactly once in effect: inbox row, effect and held messages in one transaction.
import { sql } from 'kysely';
import type { Tx } from '../db/client.ts';
import type { ForecourtEvent } from '../domain/events.ts';
import { isReplayForAnother, originOf } from './dead-letters.ts';
import { hold, oldestHeld, release } from './held.ts';
import type { ReadMessage } from './kafka.ts';

/** A message with what reading it gave: the event, or why it is none. */
export type Incoming = {
  readonly message: ReadMessage;
  readonly origin: string;
  readonly key: string;
  readonly event: ForecourtEvent | null;
  readonly fault: string | null;
};

export type Dead = {
  readonly incoming: Incoming;
  readonly error: string;
  readonly attempts: number;
};

/** Applies events that were not handled before; they come in the order of their partition. */
export type Handle = (tx: Tx, events: readonly ForecourtEvent[]) => Promise<void>;

export const BEHIND = 'behind a dead letter of its key';

export function incoming(message: ReadMessage, parse: (text: string) => ForecourtEvent): Incoming {
  const origin = originOf(message);
  // Without a key there is no order to keep, so it is alone with itself.
  const base = { message, origin, key: message.key ?? origin };
  try {
    return { ...base, event: parse(message.value ?? ''), fault: null };
  } catch (error) {
    return { ...base, event: null, fault: error instanceof Error ? error.message : 'unreadable' };
  }
}

/**
 * Handles a batch of one partition in `tx` and answers what goes to the dead letters: unreadable
 * messages and those behind a held one of their key. Throws what `handle` throws.
 */
export async function handleBatch(
  tx: Tx,
  consumer: string,
  batch: readonly Incoming[],
  handle: Handle,
): Promise<readonly Dead[]> {
  const mine = batch.filter((one) => !isReplayForAnother(one.message, consumer));
  if (mine.length === 0) return [];
  const held = await oldestHeld(tx, consumer, [...new Set(mine.map((one) => one.key))]);
  if (held.size === 0 && mine.every((one) => one.event !== null)) {
    await handleFresh(tx, consumer, mine, handle);
    return [];
  }
  // Rare: one by one, since each message may hold back or set free the next of its key.
  const dead: Dead[] = [];
  for (const one of mine) {
    const verdict = await judge(tx, consumer, one);
    if (verdict === null) {
      await handleFresh(tx, consumer, [one], handle);
      await release(tx, consumer, one.origin);
    } else {
      dead.push(verdict);
      await holdDead(tx, consumer, verdict);
    }
  }
  return dead;
}

/** Null when the message may be handled now: it is readable and the first of its key. */
async function judge(tx: Tx, consumer: string, one: Incoming): Promise<Dead | null> {
  if (one.event === null) return { incoming: one, error: one.fault ?? 'unreadable', attempts: 1 };
  const first = (await oldestHeld(tx, consumer, [one.key])).get(one.key);
  if (first === undefined || first === one.origin) return null;
  return { incoming: one, error: BEHIND, attempts: 0 };
}

/** Gives up on one message after its attempts. */
export async function holdDead(tx: Tx, consumer: string, dead: Dead): Promise<void> {
  const { incoming: one, error, attempts } = dead;
  const eventId = one.event?.id ?? null;
  await hold(tx, { consumer, key: one.key, origin: one.origin, eventId, error, attempts });
}

async function handleFresh(
  tx: Tx,
  consumer: string,
  ready: readonly Incoming[],
  handle: Handle,
): Promise<void> {
  const events = new Map<string, ForecourtEvent>();
  for (const one of ready) if (one.event !== null) events.set(one.event.id, one.event);
  if (events.size === 0) return;
  const { rows } = await sql<{ event_id: string }>`insert into events.inbox (consumer, event_id)
    select ${consumer}, id from unnest(${[...events.keys()]}::uuid[]) id order by id
    on conflict do nothing returning event_id`.execute(tx);
  const fresh = new Set(rows.map((row) => row.event_id));
  const unhandled = [...events.values()].filter((event) => fresh.has(event.id));
  if (unhandled.length > 0) await handle(tx, unhandled);
}
