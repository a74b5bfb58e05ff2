// The consumers' process: everything that reacts to facts, each consumer in a group of its own.
import { sql } from 'kysely';
import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import { openDb, transact } from '../db/client.ts';
import { tellWaitingCharges } from '../db/commands/late-charge-upkeep.ts';
import { forgetOldReadings } from '../db/commands/reading-upkeep.ts';
import { afterHire } from '../events/after-hire.ts';
import { branchActivity } from '../events/branch-activity.ts';
import { type ConsumerDeps, type ConsumerPlan, runConsumer } from '../events/consumer.ts';
import { kafkaFromEnvironment } from '../events/environment.ts';
import { pingKafka } from '../events/kafka.ts';
import { notifications } from '../events/notifications.ts';
import { rentalHours } from '../events/rental-hours.ts';
import { rentalReassignments } from '../events/rental-reassignments.ts';
import { runTelematics } from '../events/telematics.ts';
import { openClient, temporalAnswers, temporalSettings } from '../temporal-config/connection.ts';
import { serveInternal } from './internal-server.ts';
import { untilStopped, within } from './lifetime.ts';
import { createLogger } from './logging.ts';
import { openSender } from './notification-sender.ts';
import { openAfterHire, openHoursNews, openRentalNews } from './rental-news.ts';
import { startTelemetry } from './telemetry.ts';

const UPKEEP_MS = 60 * 60 * 1000;

const log = createLogger('consumers');
const telemetry = startTelemetry('consumers');
const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) throw new Error('Set DATABASE_URL.');
const db = openDb(databaseUrl);
const kafka = kafkaFromEnvironment('consumers');
const temporal = openClient(temporalSettings());
const toldAfterHire = openAfterHire(temporal);
const plans: readonly ConsumerPlan[] = [
  branchActivity,
  rentalReassignments(openRentalNews(temporal)),
  rentalHours(db, openHoursNews(temporal)),
  afterHire(toldAfterHire),
  notifications,
];
const registry = new Registry();
collectDefaultMetrics({ register: registry });
const handled = new Counter({
  name: 'forecourt_consumer_handled_total',
  help: 'Messages handled (or recognised as handled before).',
  labelNames: ['consumer'],
  registers: [registry],
});
const dead = new Counter({
  name: 'forecourt_consumer_dead_letters_total',
  help: 'Messages that a consumer gave up on. Alert above 0.',
  labelNames: ['consumer'],
  registers: [registry],
});

function depsOf(consumer: string): ConsumerDeps {
  const label = { consumer };
  return {
    db,
    kafka,
    observer: {
      handled: (count) => handled.inc(label, count),
      dead: (count) => {
        dead.inc(label, count);
        log.error({ ...label, count }, 'dead letters');
      },
      trouble: (message, error) => log.warn({ ...label, err: error }, message),
    },
  };
}

const running = [
  ...plans.map((plan) => runConsumer(depsOf(plan.name), plan)),
  runTelematics(depsOf('telematics')),
  openSender(db, registry, log),
];
const keptDays = Number(process.env['READINGS_KEPT_DAYS'] ?? 400);
const upkeep = setInterval(() => void keepUp(), UPKEEP_MS);
void keepUp();
const internal = await serveInternal({
  port: Number(process.env['INTERNAL_PORT'] ?? 9467),
  metrics: () => registry.metrics(),
  ready: async () => ({
    postgres: await within(
      2000,
      transact(db, 'events_rw', 'system:health', (tx) => sql`select 1`.execute(tx)),
    ),
    kafka: await within(2000, pingKafka(kafka)),
    temporal: (await temporalAnswers(temporal)) ? 'up' : 'down',
  }),
});
log.info({ internalPort: internal.port }, 'consumers started');
await untilStopped();
clearInterval(upkeep);
await Promise.all(running.map((consumer) => consumer.stop()));
await internal.close();
await temporal.connection.close();
await db.destroy();
await telemetry.shutdown();
log.info('consumers stopped');

async function keepUp(): Promise<void> {
  // A young one is needed by somebody; the database refuses to let it go.
  await kept('old readings forgotten', () => forgetOldReadings(db, keptDays));
  await kept('late charges told again', () => tellWaitingCharges(db, toldAfterHire.lateCharge));
}

async function kept(what: string, work: () => Promise<number>): Promise<void> {
  try {
    const count = await work();
    if (count > 0) log.info({ count }, what);
  } catch (error) {
    log.warn({ err: error }, `upkeep failed: not ${what}`);
  }
}
