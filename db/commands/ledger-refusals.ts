// What the ledger's guards refuse, by the names of the domain.
import { DomainError, type DomainErrorCode } from '../../domain/errors.ts';

/** The ledger's own SQLSTATEs (migration 0008). */
const REFUSALS: Readonly<Record<string, DomainErrorCode>> = {
  FC001: 'unbalanced',
  FC002: 'period-closed',
  FC003: 'idempotency-key-reused',
  FC004: 'not-found',
  FC005: 'currency-mismatch',
};

/** Turns the database's refusals into ours; anything else is passed on. */
export async function named<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, column, message } = error as Partial<Record<string, string>>;
    const refusal = REFUSALS[code ?? ''];
    if (refusal !== undefined) throw new DomainError(refusal, message ?? refusal);
    if (code === '23502' && column === 'account_id') {
      throw new DomainError('not-found', 'An account of this entry does not exist.');
    }
    throw error;
  }
}
