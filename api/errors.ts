// From whatever was thrown to a problem: refusals by their code, outages as 503, the rest as 500.
import {
  isGrpcServiceError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import type { Context } from 'hono';
import { DomainError } from '../domain/errors.ts';
import type { ApiEnv } from './deps.ts';
import { isProblemSlug, ProblemError, type ProblemMore, problemResponse } from './problems.ts';

/** gRPC codes that say nothing about the command but that the server was not to be had. */
const GRPC_OUTAGES: ReadonlySet<number> = new Set([
  1, // CANCELLED: our own deadline ended the call
  4, // DEADLINE_EXCEEDED
  8, // RESOURCE_EXHAUSTED
  14, // UNAVAILABLE
]);

const SOCKET_OUTAGES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT', // the server's Unix socket is gone
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
]);

/** SQLSTATE: connection exceptions, the server is shutting down or starting, no slot is free. */
const SQL_OUTAGE = /^(08...|57P0[1-4]|57014|25P03|53300|55P03)$/;
/** node-postgres has no code for these. */
const PG_LOST = /^(Connection terminated|timeout exceeded when trying to connect)/;

const RETRY_SOON = { 'retry-after': '1' } as const;

/** What the caller is told. Total: an error that nobody foresaw is `internal`, without detail. */
export function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof DomainError)
    return new ProblemError(error.code, error.message, { more: error.details });
  const refusal = refusalOf(error);
  if (refusal?.type && isProblemSlug(refusal.type)) {
    const more = (refusal.details?.[0] ?? {}) as ProblemMore;
    return new ProblemError(refusal.type, refusal.message, { more });
  }
  const outage = outageOf(error);
  if (outage) {
    return new ProblemError('service-unavailable', `${outage} cannot be reached. Try again soon.`, {
      headers: RETRY_SOON,
      cause: error,
    });
  }
  return new ProblemError('internal', 'The log has more under this instance.', { cause: error });
}

export function onError(error: Error, c: Context<ApiEnv>): Response {
  return problemResponse(c, toProblem(error));
}

/** The refusal that a workflow or an activity answered an Update with, if it was one. */
export function refusalOf(error: unknown): ApplicationFailure | undefined {
  if (!(error instanceof WorkflowUpdateFailedError)) return undefined;
  const cause = error.cause instanceof ActivityFailure ? error.cause.cause : error.cause;
  return cause instanceof ApplicationFailure ? cause : undefined;
}

/** The part that is down, in the caller's words; undefined when the error is something else. */
function outageOf(error: unknown): string | undefined {
  if (isTemporalOutage(error)) return 'The workflow service';
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === 'string' && (SOCKET_OUTAGES.has(code) || SQL_OUTAGE.test(code))) {
    return 'The database';
  }
  if (typeof message === 'string' && PG_LOST.test(message)) return 'The database';
  return undefined;
}

/** True too when our deadline passed: the outcome is unknown then, and the same key will tell. */
export function isTemporalOutage(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  for (let at = error; at instanceof Error; at = at.cause) {
    if (isGrpcServiceError(at)) return GRPC_OUTAGES.has(at.code);
  }
  return false;
}

/**
 * For writes whose body names other records: `not-found` about one of those is a fault of the body
 * (422 `unknown-reference`), while 404 stays for the address itself.
 */
export async function namingReferences<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const problem = toProblem(error);
    if (problem.slug !== 'not-found' || problem.more['of'] === undefined) throw error;
    throw new ProblemError('unknown-reference', problem.message, { more: problem.more });
  }
}
