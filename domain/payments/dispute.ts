// A payment that the renter's bank took back: how it stands, and who may give it up.
import { DomainError } from '../errors.ts';

export const DISPUTE_STATES = ['open', 'won', 'lost', 'written_off'] as const;
/** `lost` is still to be written off, by two people. */
export type DisputeState = (typeof DISPUTE_STATES)[number];

/** Amounts in minor units of `currency`; instants ISO 8601 in UTC. */
export type Dispute = {
  readonly id: string;
  readonly rentalId: string;
  readonly authorisationId: string;
  readonly state: DisputeState;
  readonly amountMinor: number;
  readonly feeMinor: number;
  readonly currency: string;
  readonly openedAt: string;
  readonly closedAt: string | null;
  readonly version: number;
};

/** Throws `invalid-state` for a dispute that is not lost. */
export function checkWriteOff({ state }: Dispute): void {
  if (state === 'lost') return;
  throw new DomainError('invalid-state', 'Only a dispute that was lost is written off.', { state });
}
