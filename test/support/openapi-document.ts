// Writes the OpenAPI document, as the API serves it, into the file that is named; no server needed.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createApp } from '../../api/app.ts';
import type { ApiDeps } from '../../api/deps.ts';
import { createHealth } from '../../api/health.ts';
import { createRateLimiter } from '../../api/rate-limits/limiter.ts';
import { trustedProxies } from '../../api/rate-limits/peer.ts';
import { quotasFrom } from '../../api/rate-limits/tiers.ts';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('Into which file?');
/** What asking for the document meets on its way; only other routes touch the rest. */
const deps: Partial<ApiDeps> = {
  log: pino({ level: 'silent' }),
  metrics: new Registry(),
  health: createHealth({}),
  limiter: createRateLimiter({ quotas: quotasFrom(undefined) }),
  proxies: trustedProxies(undefined),
};
const answer = await createApp(deps as ApiDeps).request('/openapi.json');
const text = await answer.text();
if (!answer.ok) throw new Error(text);
await mkdir(path.dirname(file), { recursive: true });
await writeFile(file, text);
