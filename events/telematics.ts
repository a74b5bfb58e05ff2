// The intake of readings from outside: a batch a transaction, each reading once in effect.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, transact } from '../db/client.ts';
import { type NewReading, recordReadings } from '../db/commands/meters.ts';
import {
  type ConsumerDeps,
  type ConsumerObserver,
  describe,
  isOutage,
  patiently,
} from './consumer.ts';
import { ORIGIN, originOf, toDeadLetter } from './dead-letters.ts';
import { hold, release } from './held.ts';
import { type Batch, consume, openProducer, type ReadMessage, toMessage } from './kafka.ts';
import { parseReading } from './telematics-contract.ts';
import { TELEMATICS_TOPIC } from './topics.ts';

/** Names the group and the dead letters: never change it. */
const TELEMATICS = 'telematics';

/** Large enough to share a transaction's cost, small enough to stay far below its limit of 8 s. */
const CHUNK = 1000;
const ATTEMPTS = 3;
const FIRST_BACKOFF_MS = 50;

/** For tests and benches, which must not share a topic or a group. */
export type TelematicsPlan = { readonly topic?: string; readonly groupId?: string };

type Dead = { readonly message: ReadMessage; readonly error: string; readonly attempts: number };
type Sound = { readonly message: ReadMessage; readonly reading: NewReading };

/**
 * Runs until stopped. Offsets move after the commit, so a killed consumer loses nothing, and what
 * comes again is known by its device and id. What breaks its contract or names an unknown vehicle
 * goes to `<topic>.dead`; servers that are away are waited for.
 */
export function runTelematics(
  deps: ConsumerDeps,
  { topic = TELEMATICS_TOPIC, groupId = `forecourt.${TELEMATICS}` }: TelematicsPlan = {},
): { readonly stop: () => Promise<void> } {
  const stopping = new AbortController();
  const reading = consume(deps.kafka, {
    groupId,
    topics: [topic],
    eachBatch: (batch) => takeBatch(deps, batch, stopping.signal),
    onTrouble: (error) => deps.observer.trouble(`consumer ${TELEMATICS}`, error),
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
  { batch, ...kafka }: Batch,
  stop: AbortSignal,
): Promise<void> {
  for (let start = 0; start < batch.messages.length; start += CHUNK) {
    if (!kafka.isRunning() || kafka.isStale() || stop.aborted) return;
    const chunk = batch.messages
      .slice(start, start + CHUNK)
      .map((message) => toMessage(batch.topic, batch.partition, message));
    const done = await patiently(deps, kafka.heartbeat, stop, async () => {
      const dead = await takeChunk(deps.db, chunk, kafka.heartbeat);
      await noteHeld(deps.db, chunk, dead);
      await sendDead(deps, dead);
      return dead.length;
    });
    if (done === null) return;
    tell(deps.observer, chunk.length, done);
    // Only now may the offset move: before the commit a crash would lose the readings.
    kafka.resolveOffset(chunk.at(-1)?.offset ?? batch.lastOffset());
    await kafka.commitOffsetsIfNecessary(kafka.uncommittedOffsets());
    await kafka.heartbeat();
  }
  kafka.resolveOffset(batch.lastOffset());
}

function tell(observer: ConsumerObserver, taken: number, dead: number): void {
  if (dead > 0) observer.dead(dead);
  observer.handled(taken - dead);
}

/** Stores a chunk in one transaction; answers what goes to the dead letters. */
async function takeChunk(
  db: Db,
  chunk: readonly ReadMessage[],
  heartbeat: () => Promise<void>,
): Promise<readonly Dead[]> {
  const dead: Dead[] = [];
  const sound: Sound[] = [];
  const now = Date.now();
  for (const message of chunk) {
    try {
      sound.push({ message, reading: parseReading(message.value ?? '', now) });
    } catch (error) {
      dead.push({ message, error: error instanceof Error ? error.message : 'bad', attempts: 1 });
    }
  }
  try {
    dead.push(...(await store(db, sound)));
  } catch (error) {
    if (isOutage(error)) throw error;
    // What the server refuses of all it may accept of each: one must not stop the others.
    for (const one of sound) {
      dead.push(...(await storeAlone(db, one)));
      await heartbeat();
    }
  }
  return dead;
}

async function store(db: Db, sound: readonly Sound[]): Promise<readonly Dead[]> {
  if (sound.length === 0) return [];
  const readings = sound.map((one) => one.reading);
  const { unknown } = await transact(db, 'vehicles_rw', `system:${TELEMATICS}`, (tx) =>
    recordReadings(tx, readings),
  );
  const places = new Set(unknown);
  return sound
    .filter((_, n) => places.has(n))
    .map(({ message }) => ({ message, error: 'unknown vehicle', attempts: 1 }));
}

async function storeAlone(db: Db, one: Sound): Promise<readonly Dead[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await store(db, [one]);
    } catch (error) {
      if (isOutage(error)) throw error;
      if (attempt === ATTEMPTS) {
        return [{ message: one.message, error: describe(error), attempts: attempt }];
      }
      await sleep(FIRST_BACKOFF_MS * 2 ** (attempt - 1));
    }
  }
}

/**
 * What is dead is listed for operators until a replay of it was taken. It holds nobody up: readings
 * need no order, so each is a key of its own.
 */
async function noteHeld(
  db: Db,
  chunk: readonly ReadMessage[],
  dead: readonly Dead[],
): Promise<void> {
  const deadNow = new Set(dead.map(({ message }) => message));
  const taken = chunk.filter((message) => message.headers[ORIGIN] && !deadNow.has(message));
  if (dead.length === 0 && taken.length === 0) return;
  await transact(db, 'events_rw', `system:${TELEMATICS}`, async (tx) => {
    for (const { message, error, attempts } of dead) {
      const origin = originOf(message);
      const of = { consumer: TELEMATICS, key: origin, origin, eventId: null };
      await hold(tx, { ...of, error, attempts });
    }
    for (const message of taken) await release(tx, TELEMATICS, originOf(message));
  });
}

async function sendDead({ kafka }: ConsumerDeps, dead: readonly Dead[]): Promise<void> {
  if (dead.length === 0) return;
  const producer = await openProducer(kafka);
  try {
    const letters = dead.map(({ message, error, attempts }) =>
      toDeadLetter(message, TELEMATICS, error, attempts),
    );
    const topic = letters[0]?.topic;
    if (topic !== undefined) {
      await producer.send(
        topic,
        letters.map((letter) => letter.message),
      );
    }
  } finally {
    await producer.close().catch(() => undefined);
  }
}
