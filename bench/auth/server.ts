// The API twice in one process: as it is, and with a caller who is taken as known already.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { createApp } from '../../api/app.ts';
import { authenticateFrom } from '../../api/auth/settings.ts';
import type { ApiDeps } from '../../api/deps.ts';
import { createHealth, postgresProbe } from '../../api/health.ts';
import { listen } from '../../api/listen.ts';
import { createRateLimiter } from '../../api/rate-limits/limiter.ts';
import { trustedProxies } from '../../api/rate-limits/peer.ts';
import { quotasFrom } from '../../api/rate-limits/tiers.ts';
import { openDb } from '../../db/client.ts';
import { openEnvelope } from '../../db/envelope.ts';
import { localStore } from '../../storage/local-store.ts';
import { openClient, temporalSettings } from '../../temporal-config/connection.ts';
import { createLogger } from '../../workers/logging.ts';

const { env } = process;
const db = openDb(env['DATABASE_URL'] ?? '');
const port = Number(env['PORT']);
const authenticate = authenticateFrom(env, db, `http://localhost:${port}`);
const caller = await authenticate(`Bearer ${env['BENCH_TOKEN']}`);

function deps(): ApiDeps {
  return {
    db,
    temporal: openClient(temporalSettings(env)),
    authenticate,
    actorOf: (c) => c.get('caller').actor,
    now: () => new Date().toISOString(),
    log: createLogger('api'),
    metrics: new Registry(),
    health: createHealth({ postgres: postgresProbe(db) }),
    envelope: openEnvelope(env['DATA_KEYS'] ?? ''),
    objects: localStore(join(tmpdir(), 'forecourt-bench-objects')),
    limiter: createRateLimiter({ quotas: quotasFrom(env['RATE_LIMITS']) }),
    proxies: trustedProxies(undefined),
  };
}

const bare = { ...deps(), authenticate: async () => caller };
await listen(createApp(bare), bare.health, { port: Number(env['BARE_PORT']) });
const product = deps();
await listen(createApp(product), product.health, { port });
