// Messages that a consumer gave up on: while one of a key is held, the key's later ones follow it.
import { sql } from 'kysely';
import type { Tx } from '../db/client.ts';

/** `origin` is `topic/partition/offset` of the message as it first came. */
export type HeldMessage = {
  readonly consumer: string;
  readonly key: string;
  readonly origin: string;
  readonly eventId: string | null;
  readonly error: string;
  readonly attempts: number;
};

/** The origin of the oldest held message of each of `keys`; a key without one is absent. */
export async function oldestHeld(
  tx: Tx,
  consumer: string,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await sql<{ key: string; origin: string }>`
    select distinct on (key) key, origin from events.held
    where consumer = ${consumer} and key = any (${[...keys]}::text[])
    order by key, ord`.execute(tx);
  return new Map(rows.map((row) => [row.key, row.origin]));
}

/** Holds a message, at the end of its key; one that is held already keeps its place. */
export async function hold(tx: Tx, message: HeldMessage): Promise<void> {
  await sql`insert into events.held (consumer, key, origin, event_id, error, attempts)
    values (${message.consumer}, ${message.key}, ${message.origin}, ${message.eventId},
      ${message.error}, ${message.attempts})
    on conflict (consumer, origin) do update
      set error = excluded.error, attempts = excluded.attempts, held_at = now()`.execute(tx);
}

/** Forgets a message that was handled after all, or that nobody wants any more. */
export async function release(tx: Tx, consumer: string, origin: string): Promise<void> {
  await sql`delete from events.held where consumer = ${consumer} and origin = ${origin}`.execute(
    tx,
  );
}

/** All that is held, in the order in which it must be replayed. */
export async function allHeld(tx: Tx): Promise<readonly (HeldMessage & { heldAt: string })[]> {
  const { rows } = await sql<HeldMessage & { heldAt: string }>`
    select consumer, key, origin, event_id as "eventId", error, attempts, held_at as "heldAt"
    from events.held order by ord`.execute(tx);
  return rows;
}
