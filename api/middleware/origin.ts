// Tells the audit log from where a request came.
import type { MiddlewareHandler } from 'hono';
import { withOrigin } from '../../db/origin.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { peerOf } from './rate-limit.ts';

/** After `observe`, which names the request. */
export function originOf({ proxies }: Pick<ApiDeps, 'proxies'>): MiddlewareHandler<ApiEnv> {
  return (c, next) => withOrigin(`${peerOf(c, proxies)} request ${c.get('requestId')}`, next);
}
