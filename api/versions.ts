// Optimistic locking over HTTP: the ETag of a record is its version, If-Match names the one known.
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { ApiEnv } from './deps.ts';
import { ProblemError } from './problems.ts';

/** For the document only: a missing one is 428, not 422. */
export const IfMatchHeader = z.object({
  'if-match': z
    .string()
    .optional()
    .openapi({
      param: { required: true },
      description: 'The ETag that the record was read with',
      example: '"3"',
    }),
});

export function etag(version: number): { readonly etag: string } {
  return { etag: `"${version}"` };
}

/** The version that the caller knows. Throws `precondition-required`, or 422 for another form. */
export function knownVersion(c: Context<ApiEnv>): number {
  const given = c.req.header('if-match');
  if (given === undefined) {
    throw new ProblemError('precondition-required', 'Send the ETag that you read as If-Match.');
  }
  const version = /^"([1-9][0-9]{0,8})"$/.exec(given)?.[1];
  if (version === undefined) {
    throw new ProblemError('validation-failed', 'If-Match must be an ETag of this record.');
  }
  return Number(version);
}
