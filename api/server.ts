// Starts the HTTP API and stops it in order: the composition root of this process.
import { collectDefaultMetrics, Registry } from 'prom-client';
import { openDb } from '../db/client.ts';
import { removeNotedFiles } from '../db/commands/file-removals.ts';
import { forgetOldKeys } from '../db/commands/idempotency.ts';
import { forgetOldProofs } from '../db/commands/people-upkeep.ts';
import { resealAll } from '../db/commands/reseal.ts';
import { forgetSessionKeys } from '../db/commands/session-keys.ts';
import { holdDueForSale } from '../db/commands/vehicle-status.ts';
import { openEnvelope } from '../db/envelope.ts';
import { hasDemoStaff } from '../db/queries/people.ts';
import { smtpMail } from '../notifications/smtp.ts';
import { gatewayFrom } from '../payments/from-env.ts';
import { objectStoreFrom } from '../storage/object-store.ts';
import { openClient, temporalSettings } from '../temporal-config/connection.ts';
import { serveInternal } from '../workers/internal-server.ts';
import { createLogger } from '../workers/logging.ts';
import { startTelemetry } from '../workers/telemetry.ts';
import { createApp } from './app.ts';
import { keyUses } from './auth/key-uses.ts';
import { simulatedMail } from './auth/mail.ts';
import { authorizationFrom, keepUp } from './auth/server/settings.ts';
import { authenticateFrom, logoutTakerFrom } from './auth/settings.ts';
import { createSignIn } from './auth/sign-in.ts';
import { checkBoot, checkPeople } from './boot-checks.ts';
import type { ApiDeps } from './deps.ts';
import { createHealth, listenerProbe, type Probe, postgresProbe, temporalProbe } from './health.ts';
import { listen } from './listen.ts';
import { corsOrigins } from './middleware/cors.ts';
import { createRateLimiter } from './rate-limits/limiter.ts';
import { trustedProxies } from './rate-limits/peer.ts';
import { sharedWindow } from './rate-limits/redis.ts';
import { quotasFrom } from './rate-limits/tiers.ts';

const HOUR_MS = 3_600_000;
/** How far the usage of API keys may lag behind. */
const COUNT_MS = 5_000;
/** Enough for a load balancer that asks each half second; a local stop should be quick. */
const NOTICE_MS = 1_000;

const { env } = process;
checkBoot(env);
const telemetry = startTelemetry('api');
const log = createLogger('api');
const databaseUrl = env['DATABASE_URL'];
if (databaseUrl === undefined) throw new Error('DATABASE_URL is not set.');
const db = openDb(databaseUrl);
await checkPeople(env, () => hasDemoStaff(db));
const temporal = openClient(temporalSettings(env));
const metrics = new Registry();
collectDefaultMetrics({ register: metrics });
const health = createHealth({
  postgres: postgresProbe(db),
  temporal: temporalProbe(temporal),
  ...optional('kafka', env['KAFKA_BROKERS']?.split(',')[0]),
  ...optional('redis', env['REDIS_URL'] && new URL(env['REDIS_URL']).host),
});
const shared = env['REDIS_URL'] ? sharedWindow(env['REDIS_URL']) : undefined;
const limiter = createRateLimiter({
  quotas: quotasFrom(env['RATE_LIMITS']),
  shared,
  onLost: (error) => log.warn({ err: error }, 'Redis is lost: this process limits alone'),
});
const port = Number(env['PORT'] ?? 8080);
// Without a slash at the end: tokens name it as their issuer, byte for byte.
const publicUrl = env['PUBLIC_URL']?.replace(/\/+$/, '') || `http://localhost:${port}`;
const mailFrom = env['MAIL_FROM'] || `forecourt@${new URL(publicUrl).hostname}`;
const deps: ApiDeps = {
  db,
  temporal,
  authenticate: authenticateFrom(env, db, publicUrl),
  takeLogout: logoutTakerFrom(env, db),
  keyUses: keyUses(db),
  actorOf: (c) => c.get('caller').actor,
  now: () => new Date().toISOString(),
  log,
  metrics,
  health,
  envelope: openEnvelope(env['DATA_KEYS'] ?? ''),
  objects: await objectStoreFrom(env),
  limiter,
  paymentNotices: gatewayFrom(env, db),
  corsOrigins: corsOrigins(env['CORS_ORIGINS']),
  isHttps: publicUrl.startsWith('https:'),
  proxies: trustedProxies(env['TRUSTED_PROXIES']),
};
const signIn = createSignIn({
  db,
  envelope: deps.envelope,
  mail: env['SMTP_URL'] ? smtpMail(env['SMTP_URL'], mailFrom) : simulatedMail(db),
  now: deps.now,
  publicUrl,
  onLetterFailed: (error) => log.error({ err: error }, 'a letter was not sent'),
});
const authorization = authorizationFrom(env, { ...deps, signIn, publicUrl });

const server = await listen(createApp(deps), health, {
  port,
  authorization,
  ...(env['HOST'] !== undefined && { host: env['HOST'] }),
  noticeMs: NOTICE_MS,
});
const internal = await serveInternal({
  port: Number(env['INTERNAL_PORT'] ?? 9464),
  ready: neededStates,
  metrics: () => metrics.metrics(),
});
const stopUpkeep = authorization && keepUp(authorization, log);
const counting = setInterval(() => void count(), COUNT_MS);
const purge = setInterval(() => void forget(), HOUR_MS);
log.info({ port: server.port, internalPort: internal.port }, 'api listens');

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));

async function stop(signal: string): Promise<void> {
  log.info({ signal }, 'api stops');
  clearInterval(purge);
  clearInterval(counting);
  stopUpkeep?.();
  await server.close();
  await count();
  await internal.close();
  shared?.close();
  await Promise.allSettled([temporal.connection.close(), db.destroy()]);
  await telemetry.shutdown();
  log.info('api stopped');
  // A call that Temporal never answered may still be retried on the closed channel, as an error.
  process.exit(0);
}

async function count(): Promise<void> {
  await deps.keyUses?.flush().catch((error: unknown) => {
    log.warn({ err: error }, 'the usage of keys is counted later');
  });
}

async function forget(): Promise<void> {
  try {
    log.info({ rows: await forgetOldKeys(db) }, 'old idempotency keys forgotten');
    log.info({ rows: await forgetOldProofs(db) }, 'old proofs of identity forgotten');
    log.info({ rows: await forgetSessionKeys(db) }, 'old session keys forgotten');
    log.info({ rows: await holdDueForSale(db, deps.now()) }, 'vehicles whose sale date has come');
    log.info({ rows: await resealAll(db, deps.envelope) }, 'values moved to the current data key');
    const removed = await removeNotedFiles(db, deps.objects.remove);
    log.info({ rows: removed }, 'files removed that no row names');
  } catch (error) {
    log.warn({ err: error }, 'upkeep failed');
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
