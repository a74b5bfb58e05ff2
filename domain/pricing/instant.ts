// Instants as milliseconds: only with an offset, so that a text means the same everywhere.
import { DomainError } from '../errors.ts';

export const MINUTE_MS = 60_000;

/** Without an offset the same text would be another instant on another machine. */
export function epochMs(instant: string): number {
  const ms = /(Z|[+-]\d{2}:\d{2})$/.test(instant) ? Date.parse(instant) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new DomainError('invalid-time', 'This is no instant with an offset.', { given: instant });
  }
  return ms;
}
