// The floor of the telematics bench: the same messages read and inserted as they are, unjudged.
import { sql } from 'kysely';
import { openDb } from '../db/client.ts';
import { consume, openKafka, toMessage } from '../events/kafka.ts';

const CHUNK = 1000;
const env = (name: string) => process.env[name] ?? '';
const kafka = openKafka(env('KAFKA_BROKERS').split(','), 'forecourt-bench-floor');
const db = openDb(env('DATABASE_OWNER_URL'), { max: 1 });

consume(kafka, {
  groupId: env('GROUP'),
  topics: [env('TOPIC')],
  onTrouble: (error) => console.error(error),
  eachBatch: async ({ batch, ...kafka }) => {
    for (let start = 0; start < batch.messages.length; start += CHUNK) {
      const rows = batch.messages
        .slice(start, start + CHUNK)
        .map((one) => JSON.parse(toMessage(batch.topic, batch.partition, one).value ?? '{}'));
      await sql`insert into public.bench_reading
          (external_id, vehicle_id, device_id, source, kind, taken_at, value)
        select r.id, r."vehicleId", r."deviceId", r.source, r.kind, r."takenAt", r.value
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (id text, "vehicleId" uuid,
          "deviceId" text, source text, kind text, "takenAt" timestamptz, value numeric)`.execute(
        db,
      );
      kafka.resolveOffset(batch.messages[start + rows.length - 1]?.offset ?? batch.lastOffset());
      await kafka.commitOffsetsIfNecessary(kafka.uncommittedOffsets());
      await kafka.heartbeat();
    }
  },
});
