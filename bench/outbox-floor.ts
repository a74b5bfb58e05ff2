// The floor of the outbox bench: the Kafka client alone sends messages of the same size and batch.
import { openKafka, openProducer } from '../events/kafka.ts';

const BATCH = 500;
const total = Number(process.env['EVENTS']);
const topic = process.env['TOPIC'] ?? '';
const kafka = openKafka((process.env['KAFKA_BROKERS'] ?? '').split(','), 'forecourt-bench-floor');
const producer = await openProducer(kafka);
const keys = Array.from({ length: 5000 }, () => crypto.randomUUID());
const value = 'x'.repeat(600);
const headers = { 'content-type': 'application/cloudevents+json' };

let started = 0;
for (let sent = 0; sent < total; sent += BATCH) {
  const messages = Array.from({ length: BATCH }, (_, n) => ({
    key: keys[(sent + n) % keys.length] ?? null,
    value,
    headers,
  }));
  await producer.send(topic, messages);
  if (started === 0) started = performance.now();
}
const seconds = (performance.now() - started) / 1000;
await producer.close();
process.stdout.write(String((total - BATCH) / seconds));
