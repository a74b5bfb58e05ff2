// What only operators see of a process: health and metrics, on a port of their own.
import { createServer, type Server } from 'node:http';

export type Health = 'up' | 'down';

export type InternalServerOptions = {
  /** 0 takes any free port; read it back from `port`. */
  readonly port: number;
  /** Each dependency by name. A throw counts as all down. */
  readonly ready: () => Promise<Readonly<Record<string, Health>>>;
  /** The Prometheus text format. */
  readonly metrics: () => Promise<string>;
};

export type InternalServer = {
  readonly port: number;
  readonly close: () => Promise<void>;
};

/** Loopback only: nobody signs in to these pages. */
const HOST = '127.0.0.1';

/**
 * Serves /health/live (200 while the process runs), /health/ready (503 while a dependency is
 * down) and /metrics. Rejects when the port is taken.
 */
export async function serveInternal(options: InternalServerOptions): Promise<InternalServer> {
  const server = createServer((request, response) => {
    answer(options, request.method ?? 'GET', (request.url ?? '/').split('?')[0] ?? '/').then(
      ({ status, type, body }) => {
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
        response.end(request.method === 'HEAD' ? undefined : body);
      },
      () => response.writeHead(500).end(),
    );
  });
  await listen(server, options.port);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No TCP address.');
  return { port: address.port, close: () => close(server) };
}

type Answer = { readonly status: number; readonly type: string; readonly body: string };

async function answer(o: InternalServerOptions, method: string, path: string): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return json(405, { status: 'method-not-allowed' });
  switch (path) {
    case '/health/live':
      return json(200, { status: 'up' });
    case '/health/ready':
      return readiness(o.ready);
    case '/metrics':
      return { status: 200, type: 'text/plain; version=0.0.4', body: await o.metrics() };
    default:
      return json(404, { status: 'not-found' });
  }
}

async function readiness(ready: InternalServerOptions['ready']): Promise<Answer> {
  try {
    const dependencies = await ready();
    const up = Object.values(dependencies).every((health) => health === 'up');
    return json(up ? 200 : 503, { status: up ? 'up' : 'down', dependencies });
  } catch {
    return json(503, { status: 'down', dependencies: {} });
  }
}

function json(status: number, body: unknown): Answer {
  return { status, type: 'application/json', body: JSON.stringify(body) };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    // Probes keep their connections open; they must not hold up a stop.
    server.closeAllConnections();
  });
}
