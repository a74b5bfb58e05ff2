// The public contract of the nightly proof's workflow: how it is started and what it answers.
import { defineQuery } from '@temporalio/workflow';

/** In this order; `settle` reads again, after a grace, what the others doubted. */
export const PHASES = [
  'rentals',
  'workflows',
  'vehicles',
  'quotes',
  'transfers',
  'transfer-workflows',
  'settle',
] as const;
export type Phase = (typeof PHASES)[number];

/** Where a proof is: the next page of a phase. `after` is that phase's own cursor. */
export type ProofPage = {
  readonly proofId: string;
  readonly phase: Phase;
  readonly after: string | null;
};

export type FleetProofInput = {
  /** Left out, the workflow chooses one. */
  readonly proofId?: string;
  /** How long what looks wrong may take to come right: stores agree only in the end. */
  readonly graceSeconds?: number;
  readonly pagesPerRun?: number;
  /** What the run before hands over; a first run has none. */
  readonly carried?: ProofPage;
};

export type FleetProofReport = {
  readonly proofId: string;
  readonly rentals: number;
  readonly workflows: number;
  readonly vehicles: number;
  readonly differences: number;
};

export const progress = defineQuery<ProofPage>('progress');
