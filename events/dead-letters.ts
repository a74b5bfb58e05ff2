// The form of a dead letter: the message as it came, and in its headers who gave up on it and why.
import type { Message, ReadMessage } from './kafka.ts';
import { deadTopicOf } from './topics.ts';

/** Header names; a replayed message carries `CONSUMER` and `ORIGIN` back to its topic. */
export const CONSUMER = 'dead-consumer';
export const ORIGIN = 'dead-origin';

const ERROR = 'dead-error';
const ATTEMPTS = 'dead-attempts';
const TOPIC = 'dead-origin-topic';
const PARTITION = 'dead-origin-partition';
const OFFSET = 'dead-origin-offset';

/** Identifies a message for ever, also when it comes again as a replay. */
export function originOf(message: ReadMessage): string {
  return message.headers[ORIGIN] ?? `${message.topic}/${message.partition}/${message.offset}`;
}

/** A replay is meant for the one consumer that gave up; for the others it is old news. */
export function isReplayForAnother(message: ReadMessage, consumer: string): boolean {
  const meant = message.headers[CONSUMER];
  return meant !== undefined && meant !== consumer;
}

export function toDeadLetter(
  message: ReadMessage,
  consumer: string,
  error: string,
  attempts: number,
): { readonly topic: string; readonly message: Message } {
  const origin = originOf(message);
  const [topic = message.topic, partition = '', offset = ''] = origin.split('/');
  return {
    topic: deadTopicOf(message.topic),
    message: {
      key: message.key,
      value: message.value,
      headers: {
        ...message.headers,
        [CONSUMER]: consumer,
        [ORIGIN]: origin,
        [ERROR]: error,
        [ATTEMPTS]: String(attempts),
        [TOPIC]: topic,
        [PARTITION]: partition,
        [OFFSET]: offset,
      },
    },
  };
}

/** The message to put back into its topic, for the consumer that gave up on it. */
export function toReplay(dead: ReadMessage): Message {
  const kept = [CONSUMER, ORIGIN, 'content-type', 'traceparent'];
  const headers = Object.entries(dead.headers).filter(([name]) => kept.includes(name));
  return { key: dead.key, value: dead.value, headers: Object.fromEntries(headers) };
}
