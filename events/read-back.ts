// Reads topics from their beginning to their present end, for tools that look at what was sent.
import {
  consume,
  deleteGroup,
  type Kafka,
  type ReadMessage,
  toMessage,
  topicEnds,
} from './kafka.ts';

const PATIENCE_MS = 30_000;

/**
 * Hands every message of `topics` up to the ends at the time of the call to `each`, in order
 * within a partition. Throws when Kafka cannot be read.
 */
export async function readBack(
  kafka: Kafka,
  topics: readonly string[],
  each: (message: ReadMessage) => void,
): Promise<void> {
  const left = await topicEnds(kafka, topics);
  if (left.size === 0) return;
  const groupId = `forecourt-read-back-${crypto.randomUUID()}`;
  const all = Promise.withResolvers<void>();
  // A group's first seconds know passing troubles; only a lasting one is worth an error.
  let trouble: unknown = new Error('Kafka did not hand over its messages in time.');
  let timer = setTimeout(() => all.reject(trouble), PATIENCE_MS);
  const reading = consume(kafka, {
    groupId,
    topics,
    onTrouble: (error) => {
      trouble = error;
    },
    eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
      clearTimeout(timer);
      timer = setTimeout(() => all.reject(trouble), PATIENCE_MS);
      const place = `${batch.topic}/${batch.partition}`;
      for (const message of batch.messages) {
        const end = left.get(place);
        if (end === undefined) break;
        each(toMessage(batch.topic, batch.partition, message));
        if (BigInt(message.offset) + 1n >= end) left.delete(place);
      }
      resolveOffset(batch.lastOffset());
      if (left.size === 0) all.resolve();
      await heartbeat();
    },
  });
  try {
    await all.promise;
  } finally {
    clearTimeout(timer);
    await reading.stop();
    await deleteGroup(kafka, groupId).catch(() => undefined);
  }
}
