// The telematics intake as a process of its own, which tests kill: topic and group by environment.
import { openDb } from '../../db/client.ts';
import { openKafka } from '../../events/kafka.ts';
import { runTelematics } from '../../events/telematics.ts';

const env = (name: string) => process.env[name] ?? '';
const kafka = openKafka(env('KAFKA_BROKERS').split(','), 'forecourt-test-intake');
const observer = { handled: () => undefined, dead: () => undefined, trouble: () => undefined };
runTelematics(
  { db: openDb(env('DATABASE_URL')), kafka, observer },
  { topic: env('TOPIC'), groupId: env('GROUP') },
);
