// What the API is given by its composition root, and what each request carries.
import type { Client } from '@temporalio/client';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Db } from '../db/client.ts';
import type { Envelope } from '../db/envelope.ts';
import type { Actor } from '../domain/actor.ts';
import type { PaymentGateway } from '../domain/payments/gateway.ts';
import type { ObjectStore } from '../storage/object-key.ts';
import type { Authenticate } from './auth/authenticate.ts';
import type { TakeLogout } from './auth/backchannel-logout.ts';
import type { Caller } from './auth/caller.ts';
import type { KeyUses } from './auth/key-uses.ts';
import type { Health } from './health.ts';
import type { ProblemSlug } from './problems.ts';
import type { RateLimiter } from './rate-limits/limiter.ts';
import type { Proxies } from './rate-limits/peer.ts';

export type ApiDeps = {
  readonly db: Db;
  readonly temporal: Client;
  /** From the Authorization header to whoever sent it; throws a problem of status 401. */
  readonly authenticate: Authenticate;
  /** Where an outside issuer signs people in; left out, its address is not there. */
  readonly takeLogout?: TakeLogout | undefined;
  /** Whose notices are believed; left out, their address is not there. */
  readonly paymentNotices?: Pick<PaymentGateway, 'name' | 'signatureHeader' | 'readNotice'>;
  /** Left out, nobody counts. */
  readonly keyUses?: KeyUses;
  /** Who asks, on every route below /api. */
  readonly actorOf: (c: Context<ApiEnv>) => Actor;
  /** The present instant, ISO 8601 in UTC. */
  readonly now: () => string;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly health: Health;
  /** Seals what is personal or secret for its column. */
  readonly envelope: Envelope;
  /** Keeps the files that rows only name. */
  readonly objects: ObjectStore;
  readonly limiter: RateLimiter;
  /** Whose X-Forwarded-For is believed. */
  readonly proxies: Proxies;
  /** Sites whose pages may call from a browser; left out, none. */
  readonly corsOrigins?: readonly string[];
  /** Reached by HTTPS only, and says so: browsers then never try anything else. */
  readonly isHttps?: boolean;
  /** How long a command may wait for its workflow. Left out, see commands.ts. */
  readonly commandTimeoutMs?: number;
};

export type ApiEnv = {
  readonly Variables: {
    requestId: string;
    /** Set for every route below /api, before anything else looks at the request. */
    caller: Caller;
    /** The body's bytes as they came: what the idempotency store compares. */
    bodyBytes: Uint8Array;
    /** Why it was refused, if it was: what the log says. */
    problem: ProblemSlug;
  };
};
