// The one list of ways in which a command can be refused.

export type DomainErrorCode =
  | 'approval-expired'
  | 'booking-too-long'
  | 'branch-not-supported'
  | 'currency-mismatch'
  | 'due-not-later'
  | 'duplicate'
  | 'four-eyes'
  | 'idempotency-key-reused'
  | 'invalid-state'
  | 'invalid-time'
  | 'limit-exceeded'
  | 'no-vehicle'
  | 'not-found'
  | 'odometer-rollback'
  | 'period-closed'
  | 'pick-up-in-past'
  | 'pick-up-too-far'
  | 'rate-plan-invalid'
  | 'resource-in-use'
  | 'unbalanced'
  | 'value-refused'
  | 'vehicle-unavailable'
  | 'version-conflict';

export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

/** A refusal that the caller can understand and act on; `details` is JSON, without personal data. */
export class DomainError extends Error {
  readonly code: DomainErrorCode;
  readonly details: ErrorDetails;

  constructor(code: DomainErrorCode, message: string, details: ErrorDetails = {}) {
    super(message);
    this.name = 'DomainError';
    this.code = code;
    this.details = details;
  }
}
