// Lets a route's answers be kept by browsers and proxies; without it nothing is (observe.ts).
import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';

/** For what is the same for everybody. Refusals are never kept. */
export function cacheable(maxAgeS: number): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    await next();
    if (c.res.status === 200 && !c.res.headers.has('cache-control')) {
      c.res.headers.set('cache-control', `public, max-age=${maxAgeS}`);
    }
  };
}
