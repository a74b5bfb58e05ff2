// Starts the HTTP API and stops it in order: the composition root of this process.
import { collectDefaultMetrics, Registry } from 'prom-client';
import { openDb } from '../db/client.ts';
import { forgetOldKeys } from '../db/commands/idempotency.ts';
import { openClient, temporalSettings } from '../temporal-config/connection.ts';
import { serveInternal } from '../workers/internal-server.ts';
import { createLogger } from '../workers/logging.ts';
import { startTelemetry } from '../workers/telemetry.ts';
import { createApp } from './app.ts';
import type { ApiDeps } from './deps.ts';
import { createHealth, listenerProbe, type Probe, postgresProbe, temporalProbe } from './health.ts';
import { listen } from './listen.ts';

const HOUR_MS = 3_600_000;
/** Enough for a load balancer that asks each half second; a local stop should be quick. */
const NOTICE_MS = 1_000;

const { env } = process;
const telemetry = startTelemetry('api');
const log = createLogger('api');
const databaseUrl = env['DATABASE_URL'];
if (databaseUrl === undefined) throw new Error('DATABASE_URL is not set.');
const db = openDb(databaseUrl);
const temporal = openClient(temporalSettings(env));
const metrics = new Registry();
collectDefaultMetrics({ register: metrics });
const health = createHealth({
  postgres: postgresProbe(db),
  temporal: temporalProbe(temporal),
  ...optional('kafka', env['KAFKA_BROKERS']?.split(',')[0]),
  ...optional('redis', env['REDIS_URL'] && new URL(env['REDIS_URL']).host),
});
const deps: ApiDeps = {
  db,
  temporal,
  // Until sign-in exists everyone is the demo agent, which is why `listen` binds to loopback only.
  actorOf: () => ({ kind: 'staff', id: 'demo-agent' }),
  now: () => new Date().toISOString(),
  log,
  metrics,
  health,
};

const server = await listen(createApp(deps), health, {
  port: Number(env['PORT'] ?? 8080),
  ...(env['HOST'] !== undefined && { host: env['HOST'] }),
  noticeMs: NOTICE_MS,
});
const internal = await serveInternal({
  port: Number(env['INTERNAL_PORT'] ?? 9464),
  ready: neededStates,
  metrics: () => metrics.metrics(),
});
const purge = setInterval(() => void forget(), HOUR_MS);
log.info({ port: server.port, internalPort: internal.port }, 'api listens');

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));

async function stop(signal: string): Promise<void> {
  log.info({ signal }, 'api stops');
  clearInterval(purge);
  await server.close();
  await internal.close();
  await Promise.allSettled([temporal.connection.close(), db.destroy()]);
  await telemetry.shutdown();
  log.info('api stopped');
  // A call that Temporal never answered may still be retried on the closed channel, as an error.
  process.exit(0);
}

async function forget(): Promise<void> {
  try {
    log.info({ rows: await forgetOldKeys(db) }, 'old idempotency keys forgotten');
  } catch (error) {
    log.warn({ err: error }, 'old idempotency keys not forgotten');
  }
}

async function neededStates(): Promise<Readonly<Record<string, 'up' | 'down'>>> {
  const needed = Object.entries(await health.check()).filter(([, state]) => state.needed);
  const states = needed.map(([name, { state }]) => [name, state] as const);
  return Object.fromEntries([...states, ['serving', health.isDraining() ? 'down' : 'up']]);
}

function optional(name: string, address: string | undefined): Readonly<Record<string, Probe>> {
  return address ? { [name]: listenerProbe(address) } : {};
}
