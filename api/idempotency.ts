// Idempotency-Key: the first request with a key runs, every repeat gets its answer, byte for byte.
import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { Context, TypedResponse } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { v5 as uuidv5 } from 'uuid';
import {
  claimKey,
  freeKey,
  type KeyScope,
  type SavedAnswer,
  saveAnswer,
} from '../db/commands/idempotency.ts';
import { principalOf } from '../domain/actor.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { toProblem } from './errors.ts';
import { PROBLEMS, ProblemError, problemResponse } from './problems.ts';

export type Answer<T, S extends ContentfulStatusCode> = {
  readonly status: S;
  readonly body: T;
  readonly headers?: Readonly<Record<string, string>>;
};

/** For the document only: the checks below answer 400 where a validator would say 422. */
export const IdempotencyHeader = z.object({
  'idempotency-key': z
    .string()
    .optional()
    .openapi({
      param: { required: true },
      description:
        'Chosen by the caller, 1 to 255 visible ASCII characters, best a UUID; kept for 48 hours.',
      example: '01890a5d-ac96-774b-bcce-b302099a8057',
    }),
});

/** Of the ids that `idOfKey` makes: a UUID of our own, as RFC 9562 section 5.5 asks for. */
const SECRETS = 'a1d4c0de-6f72-4563-8f75-727400000001';
const USABLE_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Runs `work` at most once at a time per (principal, route, key) and saves what it answers.
 * `boundId` is the same in every run, so it must be the id of whatever `work` does: workflow id,
 * update id or primary key. Refusals are answers; a 5xx is none: its retry runs at once.
 */
export async function idempotent<T, S extends ContentfulStatusCode>(
  c: Context<ApiEnv>,
  deps: ApiDeps,
  work: (boundId: string) => Promise<Answer<T, S>>,
): Promise<TypedResponse<T, S, 'json'>> {
  const scope = scopeOf(c, deps);
  const claim = await claimKey(deps.db, scope, requestHash(c));
  switch (claim.outcome) {
    case 'run':
      return reply(c, await run(c, deps, scope, () => work(claim.boundId)));
    case 'answered':
      c.header('Idempotency-Replayed', 'true');
      return reply(c, claim.answer);
    case 'running':
      throw new ProblemError('idempotency-in-progress', 'Ask again in a second.', {
        headers: { 'retry-after': '1' },
      });
    case 'reused':
      throw new ProblemError('idempotency-key-reused', 'A new request needs a new key.');
    default:
      return claim satisfies never;
  }
}

async function run<T>(
  c: Context<ApiEnv>,
  deps: ApiDeps,
  scope: KeyScope,
  work: () => Promise<Answer<T, ContentfulStatusCode>>,
): Promise<SavedAnswer> {
  const answer = await work().then(textOf, (error: unknown) => refusalText(c, error));
  if (answer instanceof Error) {
    // If this fails too, the lock's age frees the key; the first error is what to report.
    await freeKey(deps.db, scope).catch(() => undefined);
    throw answer;
  }
  try {
    return await saveAnswer(deps.db, scope, answer);
  } catch (error) {
    // The effect stands, so the caller gets the answer; a retry will find it by the bound id.
    deps.log.warn({ err: error, route: scope.route }, 'answer not saved');
    return answer;
  }
}

function textOf<T>(answer: Answer<T, ContentfulStatusCode>): SavedAnswer {
  return {
    status: answer.status,
    headers: { 'content-type': 'application/json', ...answer.headers },
    body: JSON.stringify(answer.body),
  };
}

async function refusalText(c: Context<ApiEnv>, error: unknown): Promise<SavedAnswer | Error> {
  const problem = toProblem(error);
  if (PROBLEMS[problem.slug].status >= 500) return problem;
  const response = problemResponse(c, problem);
  return {
    status: response.status,
    headers: { 'content-type': 'application/problem+json', ...problem.headers },
    body: await response.text(),
  };
}

/** The types say what `work` promised; a refusal instead of it is what the route documents too. */
function reply<T, S extends ContentfulStatusCode>(
  c: Context<ApiEnv>,
  answer: SavedAnswer,
): TypedResponse<T, S, 'json'> {
  const response = c.body(answer.body, answer.status as ContentfulStatusCode, {
    ...answer.headers,
  });
  return response as unknown as TypedResponse<T, S, 'json'>;
}

/**
 * For what makes a secret, whose answer must not be kept: the id that this key binds, the same for
 * every repeat, so that a second one is refused as a duplicate (UUID version 5 of the key's scope).
 */
export function idOfKey(c: Context<ApiEnv>, deps: ApiDeps): string {
  const { principal, route, key } = scopeOf(c, deps);
  return uuidv5(JSON.stringify([principal, route, key]), SECRETS);
}

function scopeOf(c: Context<ApiEnv>, deps: ApiDeps): KeyScope {
  const key = c.req.header('idempotency-key');
  if (key === undefined || key === '') {
    throw new ProblemError('idempotency-key-missing', 'Send a fresh Idempotency-Key, e.g. a UUID.');
  }
  if (!USABLE_KEY.test(key)) {
    throw new ProblemError(
      'idempotency-key-invalid',
      'An Idempotency-Key has 1 to 255 visible ASCII characters.',
    );
  }
  const pattern = matchedRoutes(c).findLast((route) => route.method !== 'ALL')?.path ?? '';
  return { principal: principalOf(deps.actorOf(c)), route: `${c.req.method} ${pattern}`, key };
}

/**
 * Path and query belong to it: the same key and body for another rental is another request. A route
 * that takes no body has none to compare.
 */
function requestHash(c: Context<ApiEnv>): string {
  const body: ApiEnv['Variables']['bodyBytes'] | undefined = c.get('bodyBytes');
  const { search } = new URL(c.req.url);
  const hash = createHash('sha256').update(`${c.req.path}${search}\n`);
  return (body === undefined ? hash : hash.update(body)).digest('hex');
}
