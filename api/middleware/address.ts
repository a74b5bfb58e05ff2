// Refuses addresses that cannot be decoded, and answers that nobody here can write.
import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { ProblemError } from '../problems.ts';

/** Runs before routing matters: 400 for broken escapes and NUL, 404 for a hidden slash. */
export const soundAddress: MiddlewareHandler<ApiEnv> = async (c, next) => {
  if (c.req.url.includes('%')) refuseBroken(c.req.url);
  await next();
};

function refuseBroken(url: string): void {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  try {
    decodeURIComponent(path);
    if (query !== -1) decodeURIComponent(url.slice(query));
  } catch {
    throw new ProblemError('malformed-url', 'The address has a % that begins no valid escape.');
  }
  if (/%00/.test(path)) throw new ProblemError('malformed-url', 'The path must not hold NUL.');
  // No route has a slash inside a segment, so whoever encodes one looks for a file.
  if (/%2f|%5c/i.test(path)) throw new ProblemError('not-found', 'There is nothing here.');
}

const OFFERED: ReadonlySet<string> = new Set([
  '*/*',
  'application/*',
  'application/json',
  'application/problem+json',
]);

const FILE = /\/documents\/[^/]+\/content$/;

/** 406 unless the caller takes JSON (RFC 9110 section 12.5.1; no Accept means anything). */
export const acceptsJson: MiddlewareHandler<ApiEnv> = async (c, next) => {
  // A file is what it is; whoever asks for it has seen its type.
  if (FILE.test(c.req.path)) return next();
  const accept = c.req.header('accept');
  if (
    accept !== undefined &&
    accept !== '' &&
    accept !== '*/*' &&
    !accept.split(',').some(isTaken)
  ) {
    throw new ProblemError('not-acceptable', 'The answers here are application/json.');
  }
  await next();
};

function isTaken(range: string): boolean {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  return OFFERED.has(type) && !parameters.some((p) => /^q=0(\.0*)?$/.test(p));
}
