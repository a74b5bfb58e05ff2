// Refusals end an activity for good; anything else is retried by its policy.
import { ApplicationFailure } from '@temporalio/common';
import { DomainError } from '../domain/errors.ts';

export async function failing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DomainError) {
      throw ApplicationFailure.create({
        message: error.message,
        type: error.code,
        nonRetryable: true,
        details: [error.details],
        // The trade expects it: neither the worker's log nor its error count is the place for it.
        category: 'BENIGN',
      });
    }
    if (isRefusedValue(error)) {
      // The same values are refused for ever: somebody has to look, instead of a retry each second.
      throw ApplicationFailure.nonRetryable('The database refuses these values.', 'refused-value', {
        sqlState: error.code,
      });
    }
    throw error;
  }
}

/** Data exceptions and broken constraints, but not a lost race for a vehicle (23P01). */
function isRefusedValue(error: unknown): error is { readonly code: string } {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^(22|23)/.test(code) && code !== '23P01';
}
