// For routes that want their bodies sealed end to end: opens the request, seals the answer.
import { z } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { sessionKeyAt, sessionKeyOf, takeSequence } from '../../db/commands/session-keys.ts';
import { principalOf } from '../../domain/actor.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { ProblemError } from '../problems.ts';
import {
  type MessagePlace,
  openMessage,
  type SessionKeys,
  sealMessage,
} from '../session-keys/keys.ts';
import { jsonBody, takeJson } from './body.ts';

type Deps = Pick<ApiDeps, 'db' | 'envelope' | 'now'>;

const KEY_BYTES = 32;
const Body = z.strictObject({ sealed: z.string() });
const BASE64URL = /^[A-Za-z0-9_-]*$/;
const SEQUENCE = /^[1-9][0-9]{0,14}$/;

/**
 * Behind the route's guard: who may not use it is told so before anything is decrypted. Throws
 * `encryption-required`, `session-expired`, `decryption-failed`, `sequence-reused`.
 */
export function encrypted(deps: Deps): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const place = placeOf(c);
    const keys = await keysOf(c, deps, place.sessionId);
    const plain = openMessage(keys.request, await sealedOf(c), place);
    const principal = principalOf(c.get('caller').actor);
    // Only now: what does not open must not use up anybody's sequence.
    if (!(await takeSequence(deps.db, principal, place.sessionId, place.sequence))) {
      throw new ProblemError('sequence-reused', 'X-Sequence must rise with each message.');
    }
    if (hasBody(c)) takeJson(c, plain);
    await next();
    if (!c.res.ok || c.res.body === null) return;
    const answer = new Uint8Array(await c.res.arrayBuffer());
    const sealed = sealMessage(keys.answer, answer, place).toString('base64url');
    const { status, headers } = c.res;
    c.res = new Response(JSON.stringify({ sealed }), { status, headers });
    c.res.headers.set('x-sequence', String(place.sequence));
  };
}

function placeOf(c: Context<ApiEnv>): MessagePlace {
  const sessionId = c.req.header('x-session-key');
  const sequence = c.req.header('x-sequence');
  if (sessionId === undefined || sequence === undefined) {
    throw new ProblemError(
      'encryption-required',
      'Agree on keys by POST /api/v1/session-keys, then send X-Session-Key and X-Sequence.',
    );
  }
  if (!z.uuid().safeParse(sessionId).success) throw sessionExpired();
  if (!SEQUENCE.test(sequence)) {
    throw new ProblemError('validation-failed', 'X-Sequence must be a whole number from 1.');
  }
  return { sessionId, method: c.req.method, path: c.req.path, sequence: Number(sequence) };
}

async function keysOf(c: Context<ApiEnv>, deps: Deps, sessionId: string): Promise<SessionKeys> {
  const principal = principalOf(c.get('caller').actor);
  const sealed = await sessionKeyOf(deps.db, principal, sessionId, deps.now());
  if (sealed === undefined) throw sessionExpired();
  const both = deps.envelope.open(sealed, sessionKeyAt(sessionId));
  return { request: both.subarray(0, KEY_BYTES), answer: both.subarray(KEY_BYTES) };
}

async function sealedOf(c: Context<ApiEnv>): Promise<Buffer> {
  if (!hasBody(c)) return decoded(c.req.header('x-sealed') ?? '');
  await jsonBody(c, () => Promise.resolve());
  const body = Body.safeParse(await c.req.json());
  return decoded(body.success ? body.data.sealed : '');
}

/** Other characters would be skipped: two texts for one message. */
function decoded(text: string): Buffer {
  return BASE64URL.test(text) ? Buffer.from(text, 'base64url') : Buffer.alloc(0);
}

function hasBody(c: Context<ApiEnv>): boolean {
  return c.req.method !== 'GET' && c.req.method !== 'HEAD';
}

function sessionExpired(): ProblemError {
  return new ProblemError(
    'session-expired',
    'There is no such encrypted session, or not any more.',
    {
      headers: { 'www-authenticate': 'Bearer realm="forecourt"' },
    },
  );
}
