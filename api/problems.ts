// Every way in which a request can fail, as the world sees it: one RFC 9457 problem per code.
import { trace } from '@opentelemetry/api';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { DomainErrorCode } from '../domain/errors.ts';
import type { ApiEnv } from './deps.ts';

type Kind = { readonly status: ContentfulStatusCode; readonly title: string };

/** Refusals by the rules of the trade. A code that is missing here does not compile. */
const DOMAIN_PROBLEMS = {
  'amount-too-high': { status: 422, title: 'The amount is too high' },
  'approval-expired': { status: 409, title: 'It was not approved in time' },
  arrears: { status: 409, title: 'An invoice of this rental is overdue' },
  'booking-too-long': { status: 422, title: 'The rental is longer than rentals may be' },
  'branch-closed': { status: 422, title: 'The branch is closed then' },
  'card-declined': { status: 409, title: 'The card does not hold more' },
  'currency-mismatch': { status: 422, title: 'The currencies differ' },
  'customer-blocked': { status: 409, title: 'Nothing is rented to this customer' },
  'consent-required': { status: 409, title: 'The renter has to agree first' },
  'credit-limit': { status: 409, title: 'The customer’s credit does not reach' },
  'customer-merged': { status: 409, title: 'This customer was merged into another' },
  'day-closed': { status: 409, title: 'The branch’s day is closed' },
  'day-not-finished': { status: 409, title: 'Something of this day is still under way' },
  'damage-open': { status: 409, title: 'A damage of this rental is still open' },
  'deposit-open': { status: 409, title: 'The deposit is still held' },
  'deposit-required': { status: 409, title: 'A deposit is needed first' },
  'driver-ineligible': { status: 409, title: 'A driver may not drive this rental' },
  'due-not-later': { status: 422, title: 'The end does not lie after the beginning' },
  duplicate: { status: 409, title: 'It exists already' },
  'four-eyes': { status: 403, title: 'Another person has to do this' },
  'idempotency-key-reused': {
    status: 422,
    title: 'The idempotency key belongs to another request',
  },
  'import-refused': { status: 409, title: 'The import has errors' },
  'inspection-missing': { status: 409, title: 'An inspection of the vehicle is missing' },
  'invalid-state': { status: 409, title: 'The present state does not allow this' },
  'invalid-time': { status: 422, title: 'This is not a point in time' },
  'limit-exceeded': { status: 403, title: 'It is above your limit' },
  'no-vehicle': { status: 409, title: 'No vehicle is kept for this rental' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'odometer-rollback': { status: 422, title: 'The odometer went backwards' },
  'payment-declined': { status: 402, title: 'The card was declined' },
  'payment-unsettled': { status: 409, title: 'The gateway has not answered yet' },
  'period-closed': { status: 409, title: 'The accounting period is closed' },
  'pick-up-in-past': { status: 422, title: 'The pick-up time has passed' },
  'pick-up-too-far': { status: 422, title: 'The pick-up is too far ahead' },
  'pick-up-too-soon': { status: 422, title: 'The pick-up is too soon for this' },
  'pre-existing-damage': { status: 409, title: 'The damage was there before' },
  'quote-expired': { status: 409, title: 'The quote is held no more' },
  'rate-plan-invalid': { status: 422, title: 'The rate plan is invalid' },
  'repair-code-required': { status: 422, title: 'A recall ends by its repair' },
  'resource-in-use': { status: 409, title: 'It is in use' },
  'stop-sell': { status: 409, title: 'This is not sold then' },
  unbalanced: { status: 422, title: 'The entry does not balance' },
  'value-refused': { status: 422, title: 'A value is not allowed' },
  'vehicle-held': { status: 409, title: 'A hold keeps the vehicle' },
  'vehicle-unavailable': { status: 409, title: 'No vehicle is free' },
  // What the caller believed to be the newest version, by If-Match, is not.
  'version-conflict': { status: 412, title: 'It was changed meanwhile' },
} as const satisfies Readonly<Record<DomainErrorCode, Kind>>;

/** Refusals by the platform itself. */
const API_PROBLEMS = {
  'malformed-json': { status: 400, title: 'The body is not JSON' },
  'malformed-url': { status: 400, title: 'The address is not valid' },
  'decryption-failed': { status: 400, title: 'The message does not open' },
  'signature-refused': { status: 400, title: 'The signature does not fit' },
  'encryption-required': { status: 400, title: 'This request must be encrypted' },
  'invalid-key': { status: 400, title: 'This is not a public key' },
  'session-expired': { status: 401, title: 'The encrypted session is over' },
  'sequence-reused': { status: 409, title: 'The message was received before' },
  unauthenticated: { status: 401, title: 'Sign in first' },
  'invalid-credentials': { status: 401, title: 'This is not how you sign in' },
  'invalid-token': { status: 401, title: 'The token is not valid' },
  'token-expired': { status: 401, title: 'The token has expired' },
  'token-revoked': { status: 401, title: 'The token is not good any more' },
  forbidden: { status: 403, title: 'You may not do this' },
  'insufficient-scope': { status: 403, title: 'The token was not given for this' },
  'idempotency-key-missing': { status: 400, title: 'This request needs an Idempotency-Key' },
  'idempotency-key-invalid': { status: 400, title: 'The Idempotency-Key is not usable' },
  'method-not-allowed': { status: 405, title: 'This method is not offered here' },
  'not-acceptable': { status: 406, title: 'Only JSON is offered' },
  'idempotency-in-progress': { status: 409, title: 'The first request is still running' },
  'payload-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'Only JSON is accepted' },
  'validation-failed': { status: 422, title: 'The request is not valid' },
  'unknown-field': { status: 422, title: 'The request has a field that does not exist' },
  'too-long': { status: 422, title: 'A text is too long' },
  'unknown-reference': { status: 422, title: 'The request names something that does not exist' },
  'quota-exceeded': { status: 429, title: 'Too many requests' },
  'precondition-required': { status: 428, title: 'This request needs If-Match' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  'service-unavailable': { status: 503, title: 'A part that this request needs is down' },
} as const satisfies Readonly<Record<string, Kind>>;

export const PROBLEMS: Readonly<Record<ProblemSlug, Kind>> = {
  ...DOMAIN_PROBLEMS,
  ...API_PROBLEMS,
};

export type ProblemSlug = DomainErrorCode | keyof typeof API_PROBLEMS;

/** Members that a problem carries besides the standard ones; JSON without personal data. */
export type ProblemMore = Readonly<Record<string, unknown>>;

type Options = {
  readonly more?: ProblemMore;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
};

/** Thrown anywhere below a route, it becomes the answer. */
export class ProblemError extends Error {
  readonly slug: ProblemSlug;
  readonly more: ProblemMore;
  readonly headers: Readonly<Record<string, string>>;

  constructor(slug: ProblemSlug, detail: string, options: Options = {}) {
    super(detail, { cause: options.cause });
    this.name = 'ProblemError';
    this.slug = slug;
    this.more = options.more ?? {};
    this.headers = options.headers ?? {};
  }
}

/** The record, or 404. `what` is its noun, for people. */
export function found<T>(record: T | undefined, what: string): T {
  if (record === undefined) throw new ProblemError('not-found', `There is no such ${what}.`);
  return record;
}

export function isProblemSlug(code: string): code is ProblemSlug {
  return Object.hasOwn(PROBLEMS, code);
}

/** The problem as JSON; `instance` is the id by which the log is searched. */
export function problemBody(c: Context<ApiEnv>, problem: ProblemError) {
  const { status, title } = PROBLEMS[problem.slug];
  c.set('problem', problem.slug);
  return {
    ...problem.more,
    type: `/problems/${problem.slug}`,
    title,
    status,
    detail: problem.message,
    instance: `urn:uuid:${c.get('requestId')}`,
    traceId: trace.getActiveSpan()?.spanContext().traceId,
  };
}

export function problemResponse(c: Context<ApiEnv>, problem: ProblemError): Response {
  const body = problemBody(c, problem);
  return c.body(JSON.stringify(body), body.status, {
    ...problem.headers,
    'content-type': 'application/problem+json',
  });
}
