// Which topics there are: the facts of each domain, and the dead letters of each of those.
import { DOMAINS, topicOf } from '../domain/events.ts';
import { createTopics, type Kafka, type TopicPlan } from './kafka.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The inbox remembers longer (30 days) than the topic, so a replay of it is always recognised. */
const FACTS = { 'retention.ms': String(7 * DAY_MS) };

/**
 * Dead letters stay until someone has looked at them. One is larger than the message that it holds
 * by the headers that say why, so these topics take twice the brokers' usual 1 MiB.
 */
const DEAD = { 'retention.ms': '-1', 'max.message.bytes': String(2 * 1024 * 1024) };

export const FACT_TOPICS: readonly string[] = DOMAINS.map(topicOf);

/** Written by others: what devices in the vehicles read (docs/telematics.md). */
export const TELEMATICS_TOPIC = 'telematics.readings.v1';

export function deadTopicOf(topic: string): string {
  return `${topic}.dead`;
}

/** Plans for `topics` and their dead letters. */
export function topicPlans(topics: readonly string[]): readonly TopicPlan[] {
  return topics.flatMap((topic) => [
    { topic, config: FACTS },
    { topic: deadTopicOf(topic), config: DEAD },
  ]);
}

/**
 * Creates the topics that are missing; answers which. Eight partitions a topic let eight
 * consumers share it; the number can grow but keys would move, so it is chosen generously.
 */
export async function ensureTopics(kafka: Kafka): Promise<readonly string[]> {
  return createTopics(kafka, topicPlans([...FACT_TOPICS, TELEMATICS_TOPIC]), {
    partitions: Number(process.env['KAFKA_PARTITIONS'] ?? 8),
    replication: Number(process.env['KAFKA_REPLICATION'] ?? 1),
  });
}
