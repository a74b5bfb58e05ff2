// Where Kafka is, as the environment of a process says it.
import { type Kafka, openKafka } from './kafka.ts';

/** `part` names the process towards Kafka. Throws when KAFKA_BROKERS is not set. */
export function kafkaFromEnvironment(part: string): Kafka {
  const brokers = process.env['KAFKA_BROKERS'];
  if (!brokers) throw new Error('Set KAFKA_BROKERS (host:port, several by comma).');
  return openKafka(brokers.split(','), `forecourt-${part}`);
}
