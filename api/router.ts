// The router that every route file uses, and the one way in which invalid requests are refused.
import { OpenAPIHono, type z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { ApiEnv } from './deps.ts';
import { ProblemError, type ProblemSlug } from './problems.ts';

export type ApiRouter = OpenAPIHono<ApiEnv>;

export function apiRouter(): ApiRouter {
  return new OpenAPIHono<ApiEnv>({ defaultHook: refuseInvalid });
}

type Validated = {
  readonly target: string;
  readonly success: boolean;
  readonly error?: z.ZodError | undefined;
};

type Issue = z.core.$ZodIssue;

/** Lists the path and the reason of each fault; throws, so that errors.ts stays the only writer. */
function refuseInvalid(result: Validated, _c: Context<ApiEnv>): void {
  if (result.success || result.error === undefined) return;
  const issues = result.error.issues;
  throw new ProblemError(
    slugOfAll(issues),
    `The ${PLACES[result.target] ?? result.target} has ${issues.length} fault(s).`,
    { more: { errors: issues.map((issue) => ({ path: pathOf(issue), message: issue.message })) } },
  );
}

const PLACES: Readonly<Record<string, string>> = { json: 'body', param: 'path', header: 'head' };

/** The name of the fault that all have in common; a field that does not exist goes first. */
function slugOfAll(issues: readonly Issue[]): ProblemSlug {
  const slugs = new Set(issues.map(slugOf));
  if (slugs.has('unknown-field')) return 'unknown-field';
  const [only] = slugs;
  return slugs.size === 1 && only !== undefined ? only : 'validation-failed';
}

function slugOf(issue: Issue): ProblemSlug {
  if (issue.code === 'unrecognized_keys') return 'unknown-field';
  if (issue.code === 'too_big' && issue.origin === 'string') return 'too-long';
  if (issue.code === 'custom' && issue.params?.['slug'] === 'invalid-time') return 'invalid-time';
  return 'validation-failed';
}

function pathOf(issue: Issue): string {
  const path = issue.path.map(String);
  return (issue.code === 'unrecognized_keys' ? [...path, issue.keys[0] ?? ''] : path).join('.');
}
