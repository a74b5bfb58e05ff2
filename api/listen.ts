// Puts the app on a socket with the limits of a public server, and takes it off again in order.
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnv } from './deps.ts';
import type { Health } from './health.ts';

export type Listening = {
  readonly port: number;
  /** Ready turns 503, requests under way end (at most 10 s), then the socket closes. */
  readonly close: () => Promise<void>;
};

/** Slow senders are looked for each second, so a head must be there within 10 s. */
const HEADERS_TIMEOUT_MS = 9_000;
const CHECK_EACH_MS = 1_000;
const REQUEST_TIMEOUT_MS = 29_000;
const MAX_HEAD_BYTES = 16_384;
const DRAIN_MS = 10_000;

/** Until callers sign in, only this machine may call: everyone would act as the demo agent. */
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

type Options = {
  /** 0 takes any free port. */
  readonly port: number;
  readonly host?: string;
  /** How long ready says 503 before the socket closes; gives load balancers time to see it. */
  readonly noticeMs?: number;
};

/** Rejects for a host that others could reach, and when the port is taken. */
export async function listen(
  app: OpenAPIHono<ApiEnv>,
  health: Health,
  options: Options,
): Promise<Listening> {
  const host = options.host ?? '127.0.0.1';
  if (!LOOPBACK.has(host)) {
    throw new Error(`HOST=${host} is refused: without sign-in the API serves loopback only.`);
  }
  const server = createAdaptorServer({
    fetch: app.fetch,
    // Hono's error pages and Node's globals stay as they are for the rest of the process.
    overrideGlobalObjects: false,
    serverOptions: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_EACH_MS,
      maxHeaderSize: MAX_HEAD_BYTES,
    },
  }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return { port, close: () => close(server, health, options.noticeMs ?? 0) };
}

async function close(server: Server, health: Health, noticeMs: number): Promise<void> {
  health.drain();
  await delay(noticeMs);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const force = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  // Connections that turn idle after the last answer would hold the server open.
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  await closed;
  clearTimeout(force);
  clearInterval(idle);
}
