// The relay process: outbox → Kafka, and the seals of the audit log. Several may run: they share the
// shards among themselves, and one at a time seals.
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { openDb } from '../db/client.ts';
import { keepEventTables } from '../db/events-upkeep.ts';
import { openOutboxSession } from '../db/outbox-session.ts';
import { kafkaFromEnvironment } from '../events/environment.ts';
import { pingKafka } from '../events/kafka.ts';
import { type RelayObserver, startRelay } from '../events/relay.ts';
import { ensureTopics } from '../events/topics.ts';
import { startAuditSealer } from './audit-sealer.ts';
import { serveInternal } from './internal-server.ts';
import { untilStopped, within } from './lifetime.ts';
import { createLogger } from './logging.ts';
import { startTelemetry } from './telemetry.ts';

const UPKEEP_MS = 60 * 60 * 1000;

const log = createLogger('relay');
const telemetry = startTelemetry('relay');
const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) throw new Error('Set DATABASE_URL.');
const kafka = kafkaFromEnvironment('relay');
const registry = new Registry();
collectDefaultMetrics({ register: registry });

// A topic that set-up forgot would have its events parked, so the relay makes sure of them too.
await ensureTopics(kafka).catch((error) => log.warn({ err: error }, 'topics not checked'));
const relay = startRelay({
  kafka,
  openSession: () => openOutboxSession(databaseUrl),
  observer: createObserver(),
  traces: telemetry.collected,
});
const db = openDb(databaseUrl, { max: 1 });
const sealerDb = openDb(databaseUrl, { max: 1 });
const stopSealing = startAuditSealer({
  db: sealerDb,
  onHead: (head) => log.info(head, 'audit log sealed'),
  onTrouble: (error) => log.warn({ err: error }, 'audit log not sealed'),
});
const upkeep = setInterval(() => void keepTables(), UPKEEP_MS);
void keepTables();
const internal = await serveInternal({
  port: Number(process.env['INTERNAL_PORT'] ?? 9466),
  metrics: () => registry.metrics(),
  ready: async () => ({
    postgres: relay.working() ? 'up' : 'down',
    kafka: await within(2000, pingKafka(kafka)),
  }),
});
log.info({ internalPort: internal.port }, 'relay started');
await untilStopped();
clearInterval(upkeep);
await relay.stop();
await stopSealing();
await Promise.all([db.destroy(), sealerDb.destroy()]);
await internal.close();
await telemetry.shutdown();
log.info('relay stopped');

/** On a connection of its own: a long upkeep must not hold up the events. */
async function keepTables(): Promise<void> {
  await keepEventTables(db).catch((error) => log.warn({ err: error }, 'upkeep failed'));
}

function createObserver(): RelayObserver {
  const registers = [registry];
  const published = new Counter({
    name: 'forecourt_outbox_published_total',
    help: 'Events that Kafka acknowledged.',
    registers,
  });
  const parked = new Counter({
    name: 'forecourt_outbox_parked_total',
    help: 'Events set aside because Kafka refuses them, or behind such a one. Alert above 0.',
    registers,
  });
  const rows = new Gauge({
    name: 'forecourt_outbox_rows',
    help: 'Events waiting in the outbox (counted up to 10,000).',
    registers,
  });
  const age = new Gauge({
    name: 'forecourt_outbox_oldest_seconds',
    help: 'Age of the oldest waiting event.',
    registers,
  });
  const shards = new Gauge({
    name: 'forecourt_relay_shards',
    help: 'Shards of the outbox that this relay reads.',
    registers,
  });
  return {
    published: (count) => published.inc(count),
    parked: (count) => {
      parked.inc(count);
      log.error({ count }, 'events parked');
    },
    depth: (depth) => {
      rows.set(depth.rows);
      age.set(depth.oldestSeconds);
    },
    shards: (count) => shards.set(count),
    trouble: (message, error) => log.warn({ err: error }, message),
  };
}
