// What the API is given by its composition root, and what each request carries.
import type { Client } from '@temporalio/client';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Db } from '../db/client.ts';
import type { Actor } from '../domain/actor.ts';
import type { Health } from './health.ts';

export type ApiDeps = {
  readonly db: Db;
  readonly temporal: Client;
  /** Who asks. The demo agent until sign-in exists, which is why the API binds to loopback only. */
  readonly actorOf: (c: Context<ApiEnv>) => Actor;
  /** The present instant, ISO 8601 in UTC. */
  readonly now: () => string;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly health: Health;
  /** How long a command may wait for its workflow. Left out, see commands.ts. */
  readonly commandTimeoutMs?: number;
};

export type ApiEnv = {
  readonly Variables: {
    requestId: string;
    /** The body's bytes as they came: what the idempotency store compares. */
    bodyBytes: Uint8Array;
  };
};
