// One span, one log line and one measurement per request, and the headers that every answer has.
import {
  context,
  type Context as OtelContext,
  propagation,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { Histogram } from 'prom-client';
import { v7 as uuidv7 } from 'uuid';
import { principalOf } from '../../domain/actor.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';

const BUCKETS_S = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const SECURITY_HEADERS = [
  ['x-content-type-options', 'nosniff'],
  ['content-security-policy', "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"],
  ['referrer-policy', 'no-referrer'],
  ['cache-control', 'no-store'],
] as const;

/** Two years, as browsers want it for their built-in list. */
export const HSTS = 'max-age=63072000; includeSubDomains';

const headerOf: TextMapGetter<Context<ApiEnv>> = {
  get: (c, key) => c.req.header(key),
  keys: () => [],
};

/**
 * Outermost. Logs the route's pattern, never the address itself: ids would be fine, but queries
 * may hold names. `isDraining` true asks clients to open their next connection elsewhere.
 */
export function observe(
  deps: Pick<ApiDeps, 'log' | 'metrics' | 'health' | 'isHttps'>,
): MiddlewareHandler<ApiEnv> {
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request head to the answer.',
    labelNames: ['route', 'method', 'status'] as const,
    buckets: BUCKETS_S,
    registers: [deps.metrics],
  });
  const tracer = trace.getTracer('forecourt-api');
  return async (c, next) => {
    const started = performance.now();
    const requestId = uuidv7();
    c.set('requestId', requestId);
    const parent: OtelContext = propagation.extract(context.active(), c, headerOf);
    const span = tracer.startSpan(c.req.method, { kind: SpanKind.SERVER }, parent);
    await context.with(trace.setSpan(parent, span), next);

    const status = c.res.status;
    const durationMs = performance.now() - started;
    setHeaders(c, requestId, deps.health.isDraining());
    if (deps.isHttps) c.res.headers.set('strict-transport-security', HSTS);
    // The answer leaves first: to write the line down takes a tenth of a short request. A process
    // that is killed in between leaves an answer without a line; what was done is in the audit log.
    setImmediate(() => {
      const route = patternOf(c);
      span.updateName(`${c.req.method} ${route}`);
      span.setAttributes({ 'http.route': route, 'http.response.status_code': status });
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
      durations.labels(route, c.req.method, String(status)).observe(durationMs / 1_000);
      deps.log[status >= 500 ? 'error' : 'info'](
        {
          requestId,
          traceId: span.spanContext().traceId,
          route,
          method: c.req.method,
          status,
          ...who(c),
          durationMs: Math.round(durationMs * 10) / 10,
          ...(c.error && status >= 500 && { err: c.error.cause ?? c.error }),
        },
        'request',
      );
    });
  };
}

/** The principal, whose id tells nobody's name, and why the request was refused, if it was. */
function who(c: Context<ApiEnv>) {
  const { caller, problem } = c.var as Partial<ApiEnv['Variables']>;
  return { ...(caller && { actor: principalOf(caller.actor) }), ...(problem && { problem }) };
}

function setHeaders(c: Context<ApiEnv>, requestId: string, draining: boolean): void {
  const { headers } = c.res;
  headers.set('x-request-id', requestId);
  for (const [name, value] of SECURITY_HEADERS) if (!headers.has(name)) headers.set(name, value);
  if (draining) headers.set('connection', 'close');
}

/** The pattern of the route that answered; one name for all unknown addresses. */
function patternOf(c: Context<ApiEnv>): string {
  return matchedRoutes(c).findLast((route) => route.method !== 'ALL')?.path ?? 'unmatched';
}
