// What API keys were used for: counted here, and told to the store every few seconds.
import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Db } from '../../db/client.ts';
import { noteUse } from '../../db/commands/api-keys.ts';
import type { ApiEnv } from '../deps.ts';

export type KeyUses = {
  /** Of a request that a key was good for, whatever became of it. */
  readonly note: (keyId: string, route: string, at: string) => void;
  /** Stores what was noted; what cannot be stored is noted again. */
  readonly flush: () => Promise<void>;
};

type Use = { readonly keyId: string; readonly route: string; requests: number; at: string };

export function keyUses(db: Db): KeyUses {
  let noted = new Map<string, Use>();
  const add = ({ keyId, route, requests, at }: Use) => {
    const name = `${keyId} ${route}`;
    const known = noted.get(name);
    noted.set(name, { keyId, route, at, requests: requests + (known?.requests ?? 0) });
  };
  return {
    note: (keyId, route, at) => add({ keyId, route, requests: 1, at }),
    flush: async () => {
      const uses = [...noted.values()];
      noted = new Map();
      try {
        await noteUse(db, uses);
      } catch (error) {
        for (const use of uses) add(use);
        throw error;
      }
    },
  };
}

/** After authentication. Routes by pattern, as ids would make every request another line. */
export function countKeyUse(uses: KeyUses, now: () => string): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    await next();
    const { keyId } = c.get('caller');
    if (keyId !== null) uses.note(keyId, `${c.req.method} ${patternOf(c)}`, now());
  };
}

function patternOf(c: Context<ApiEnv>): string {
  return matchedRoutes(c).findLast((route) => route.method !== 'ALL')?.path ?? 'unmatched';
}
