// The one list of ways in which a command can be refused.

export type DomainErrorCode =
  | 'amount-too-high'
  | 'approval-expired'
  | 'arrears'
  | 'booking-too-long'
  | 'branch-closed'
  | 'card-declined'
  | 'consent-required'
  | 'credit-limit'
  | 'currency-mismatch'
  | 'customer-blocked'
  | 'customer-merged'
  | 'damage-open'
  | 'day-closed'
  | 'day-not-finished'
  | 'deposit-open'
  | 'deposit-required'
  | 'driver-ineligible'
  | 'due-not-later'
  | 'duplicate'
  | 'four-eyes'
  | 'idempotency-key-reused'
  | 'import-refused'
  | 'inspection-missing'
  | 'invalid-state'
  | 'invalid-time'
  | 'limit-exceeded'
  | 'no-vehicle'
  | 'not-found'
  | 'odometer-rollback'
  | 'payment-declined'
  | 'payment-unsettled'
  | 'period-closed'
  | 'pick-up-in-past'
  | 'pick-up-too-far'
  | 'pick-up-too-soon'
  | 'pre-existing-damage'
  | 'quote-expired'
  | 'rate-plan-invalid'
  | 'repair-code-required'
  | 'resource-in-use'
  | 'stop-sell'
  | 'unbalanced'
  | 'value-refused'
  | 'vehicle-held'
  | 'vehicle-unavailable'
  | 'version-conflict';

export type Detail = string | number | boolean | null;
/** Flat, but for lists of what stands in the way. */
export type ErrorDetails = Readonly<
  Record<string, Detail | readonly Readonly<Record<string, Detail>>[]>
>;

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
