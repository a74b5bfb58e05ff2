// The telematics intake as the bench runs it: on a topic, a group and a database of its own.
import { openDb } from '../db/client.ts';
import { openKafka } from '../events/kafka.ts';
import { runTelematics } from '../events/telematics.ts';

const env = (name: string) => process.env[name] ?? '';
const kafka = openKafka(env('KAFKA_BROKERS').split(','), 'forecourt-bench-telematics');
runTelematics(
  {
    db: openDb(env('DATABASE_URL')),
    kafka,
    observer: {
      handled: () => undefined,
      dead: (count) => console.error(`${count} dead letters`),
      trouble: (message, error) => console.error(message, error),
    },
  },
  { topic: env('TOPIC'), groupId: env('GROUP') },
);
