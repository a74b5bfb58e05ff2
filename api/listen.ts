// Puts the app on a socket with the limits of a public server, and takes it off again in order.
import { createServer, type RequestListener, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AuthorizationServer } from './auth/server/authorization-server.ts';
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
/**
 * Longer than balancers and clients keep a connection that is idle (60 s): whoever closes first while
 * the other sends, breaks that request. By the usual 5 s a busy process closed what it had not read.
 */
const KEEP_ALIVE_MS = 65_000;
const MAX_HEAD_BYTES = 16_384;
const DRAIN_MS = 10_000;

type Options = {
  /** 0 takes any free port. */
  readonly port: number;
  /** Left out, this machine only: what others reach should have TLS in front of it. */
  readonly host?: string;
  /** How long ready says 503 before the socket closes; gives load balancers time to see it. */
  readonly noticeMs?: number;
  /** Answers the addresses that it owns; the app answers all others. */
  readonly authorization?: Pick<AuthorizationServer, 'owns' | 'handle'> | undefined;
};

/** Rejects when the port is taken. */
export async function listen(
  app: OpenAPIHono<ApiEnv>,
  health: Health,
  options: Options,
): Promise<Listening> {
  const host = options.host ?? '127.0.0.1';
  const server = createAdaptorServer({
    fetch: app.fetch,
    // Hono's error pages and Node's globals stay as they are for the rest of the process.
    overrideGlobalObjects: false,
    createServer: ((serverOptions: object, answer: RequestListener) =>
      createServer(serverOptions, besides(options.authorization, answer))) as typeof createServer,
    serverOptions: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
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

/** The authorization server speaks Node's own requests, the app those of the web. */
function besides(authorization: Options['authorization'], answer: RequestListener) {
  const listener: RequestListener = (request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    if (authorization?.owns(path)) authorization.handle(request, response);
    else answer(request, response);
  };
  return listener;
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
