// Which other sites' pages may call the API from a browser: those named, to the letter, and no other.
import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import type { ApiEnv } from '../deps.ts';

const REQUEST_HEADERS = [
  'authorization',
  'content-type',
  'idempotency-key',
  'if-match',
  'traceparent',
  'x-session-key',
  'x-sequence',
];
const ANSWER_HEADERS = [
  'etag',
  'location',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'x-request-id',
  'x-sequence',
];
const MAX_AGE_S = 600;

/** Reads CORS_ORIGINS: origins by comma, each as a browser sends it (`https://counter.example`). */
export function corsOrigins(text: string | undefined): readonly string[] {
  const origins = (text ?? '').split(',').map((origin) => origin.trim());
  return origins.filter((origin) => {
    if (origin === '') return false;
    const isExact = URL.canParse(origin) && new URL(origin).origin === origin;
    if (!isExact || origin === 'null' || origin.includes('*')) {
      throw new Error(`CORS_ORIGINS: '${origin}' is not an origin like https://counter.example.`);
    }
    return true;
  });
}

/**
 * Without credentials: the API goes by the Authorization header alone, which a browser never adds
 * by itself, so no other site can use what its visitor is signed in to.
 */
export function crossOrigin(origins: readonly string[]): MiddlewareHandler<ApiEnv> {
  return cors({
    origin: [...origins],
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: REQUEST_HEADERS,
    exposeHeaders: ANSWER_HEADERS,
    maxAge: MAX_AGE_S,
  });
}
