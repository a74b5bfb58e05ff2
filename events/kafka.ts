// The only file that knows the Kafka client: producer, watched consumers, topics, reading back.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Admin,
  Kafka as Client,
  type Producer as ClientProducer,
  type EachBatchPayload,
  type IHeaders,
  type KafkaMessage,
  logLevel,
} from 'kafkajs';
import { createPartitioner } from './partitioner.ts';

export type Kafka = Client;
export type Batch = EachBatchPayload;

/** A message as this code base sees it; `value` and headers are text. */
export type Message = {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
};
export type ReadMessage = Message & {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
};

export type Producer = {
  /** Resolves when all in-sync replicas have every message; order within a key is kept. */
  readonly send: (topic: string, messages: readonly Message[]) => Promise<void>;
  readonly close: () => Promise<void>;
};

export type TopicPlan = { readonly topic: string; readonly config?: Record<string, string> };

/**
 * `patience` is how long one call may retry: `brief` (about 3 s) where the caller has a loop of
 * its own, `endless` for consumers, whose client would otherwise give up after 20 s of downtime.
 */
const RETRY = {
  brief: { initialRetryTime: 50, maxRetryTime: 500, multiplier: 1.5, retries: 8 },
  endless: { initialRetryTime: 50, maxRetryTime: 500, multiplier: 1.5, retries: 1000 },
} as const;

export function openKafka(brokers: readonly string[], clientId: string): Kafka {
  return new Client({
    brokers: [...brokers],
    clientId,
    // Failures reach the callers, who log them in the house's form; the client's own log is noise.
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2000,
    requestTimeout: 10_000,
    retry: RETRY.brief,
  });
}

/** An idempotent producer. After a failed send open a new one: its sequence numbers are unsure. */
export async function openProducer(kafka: Kafka): Promise<Producer> {
  const producer: ClientProducer = kafka.producer({
    idempotent: true,
    allowAutoTopicCreation: false,
    createPartitioner,
    retry: RETRY.brief,
  });
  await producer.connect();
  return {
    send: async (topic, messages) => {
      await producer.send({ topic, acks: -1, messages: messages as ClientMessages });
    },
    close: () => producer.disconnect(),
  };
}
type ClientMessages = { key: string | null; value: string | null; headers: IHeaders }[];

const REFUSALS = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'POLICY_VIOLATION',
  'TOPIC_AUTHORIZATION_FAILED',
]);

/** Why Kafka refuses the messages themselves; null when it is Kafka that is in trouble. */
export function refusalOf(error: unknown): string | null {
  for (let e = error; e instanceof Error; e = e.cause) {
    const type = 'type' in e ? String(e.type) : '';
    if (REFUSALS.has(type)) return type;
  }
  return null;
}

export async function listTopics(kafka: Kafka): Promise<ReadonlySet<string>> {
  return withAdmin(kafka, async (admin) => new Set(await admin.listTopics()));
}

/** Creates what is missing and leaves the rest alone. */
export async function createTopics(
  kafka: Kafka,
  plans: readonly TopicPlan[],
  size: { readonly partitions: number; readonly replication: number },
): Promise<readonly string[]> {
  return withAdmin(kafka, async (admin) => {
    const present = new Set(await admin.listTopics());
    const missing = plans.filter((plan) => !present.has(plan.topic));
    if (missing.length > 0) {
      await admin.createTopics({
        // The client's own wait fails on a topic that is not known everywhere yet.
        waitForLeaders: false,
        topics: missing.map((plan) => ({
          topic: plan.topic,
          numPartitions: size.partitions,
          replicationFactor: size.replication,
          configEntries: Object.entries(plan.config ?? {}).map(([name, value]) => ({
            name,
            value,
          })),
        })),
      });
      await untilLed(
        admin,
        missing.map((plan) => plan.topic),
      );
    }
    return missing.map((plan) => plan.topic);
  });
}

async function untilLed(admin: Admin, topics: readonly string[]): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      // Offsets are answered by a partition's leader, so then it leads.
      for (const topic of topics) await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      if (tries === 150) throw error;
      await sleep(200);
    }
  }
}

/** The end offset of each partition that holds anything, by `topic/partition`. */
export async function topicEnds(
  kafka: Kafka,
  topics: readonly string[],
): Promise<Map<string, bigint>> {
  return withAdmin(kafka, async (admin) => {
    const found = new Map<string, bigint>();
    for (const topic of topics) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        if (BigInt(high) > BigInt(low)) found.set(`${topic}/${partition}`, BigInt(high));
      }
    }
    return found;
  });
}

/** Forgets a consumer group that has no members any more. */
export async function deleteGroup(kafka: Kafka, groupId: string): Promise<void> {
  await withAdmin(kafka, (admin) => admin.deleteGroups([groupId]));
}

/** Throws when the cluster does not answer. */
export async function pingKafka(kafka: Kafka): Promise<void> {
  await withAdmin(kafka, (admin) => admin.describeCluster());
}

async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

export type Consumption = {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly eachBatch: (batch: Batch) => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
};

/**
 * Consumes with offsets committed by `eachBatch` only. The client stops for good after an error
 * that it deems final, so a watchdog starts a new one until `stop` is called.
 */
export function consume(kafka: Kafka, consumption: Consumption): { stop: () => Promise<void> } {
  const stopping = new AbortController();
  const done = watch(kafka, consumption, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
}

async function watch(kafka: Kafka, consumption: Consumption, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const consumer = kafka.consumer({
      groupId: consumption.groupId,
      allowAutoTopicCreation: false,
      sessionTimeout: 10_000,
      heartbeatInterval: 1000,
      maxWaitTimeInMs: 250,
      retry: RETRY.endless,
    });
    const ended = new Promise<void>((resolve) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        consumption.onTrouble(payload.error);
        // After a passing trouble the client restarts by itself; a final one is ours to end.
        if (!payload.restart) resolve();
      });
      consumer.on(consumer.events.STOP, () => resolve());
      stop.addEventListener('abort', () => resolve(), { once: true });
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...consumption.topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: consumption.eachBatch,
      });
      await ended;
    } catch (error) {
      consumption.onTrouble(error);
    }
    await consumer.disconnect().catch(() => undefined);
    if (!stop.aborted) await sleep(500);
  }
}

/** A message of the client in this code base's form. */
export function toMessage(topic: string, partition: number, message: KafkaMessage): ReadMessage {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    const one = Array.isArray(value) ? value[0] : value;
    if (one !== undefined) headers[name] = one.toString();
  }
  const key = message.key?.toString() ?? null;
  const value = message.value?.toString() ?? null;
  return { topic, partition, offset: message.offset, key, value, headers };
}
