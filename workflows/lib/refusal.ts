// A refusal must leave a handler as an ApplicationFailure: a plain Error retries the task for ever.
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { DomainError } from '../../domain/errors.ts';

/** Runs a rule; its DomainError becomes a failure of the code's type. */
export function refusing<T>(rule: () => T): T {
  try {
    return rule();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    throw ApplicationFailure.create({
      message: error.message,
      type: error.code,
      nonRetryable: true,
      details: [error.details],
      // Expected by the trade: no error in logs or metrics.
      category: 'BENIGN',
    });
  }
}

/** Awaits an activity; what refused it is thrown as it was, without the activity around it. */
export async function unwrapped<T>(activity: Promise<T>): Promise<T> {
  try {
    return await activity;
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
}

/** The refusal behind an error, or undefined when it is something else, such as a cancellation. */
export function refusalOf(error: unknown): ApplicationFailure | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure && cause.nonRetryable ? cause : undefined;
}
