// What the worker process gives its activities.
import type { Db } from '../db/client.ts';
import type { PaymentGateway } from '../domain/payments/gateway.ts';
import type { WorkflowSide } from '../domain/reconciliation.ts';

export type ActivityDeps = {
  readonly db: Db;
  /** Told of each refusal that rests on a repack whose budget ended. */
  readonly repackExhausted?: () => void;
};

/** The search attributes of a running workflow, which are some seconds old. */
export type Shown = { readonly status: string | null; readonly vehicleId: string | null };

/** The workflows of one kind, by the id of what they model. */
export type WatchedWorkflows = {
  /** A page of all that run; `cursor` is the server's, null for the first page. */
  readonly listRunning: (
    cursor: string | null,
  ) => Promise<{ readonly ids: readonly string[]; readonly next: string | null }>;
  /** What it says itself: null when none runs, `unreadable` when it cannot answer. */
  readonly sideOf: (id: string) => Promise<WorkflowSide | null>;
  /** Sets, or with null clears, why a person has to look at it. */
  readonly attend: (id: string, reason: string | null) => Promise<void>;
};

export type RentalWorkflows = WatchedWorkflows & {
  /** Of these, those that the server lists as running. */
  readonly runningAmong: (ids: readonly string[]) => Promise<ReadonlyMap<string, Shown>>;
};

export type ProofDeps = ActivityDeps & {
  readonly rentals: RentalWorkflows;
  readonly transfers: WatchedWorkflows;
};

export type PaymentDeps = ActivityDeps & { readonly gateway: PaymentGateway };

/** Removes a file of the object store by its SHA-256; gone already is gone. */
export type PrivacyDeps = ActivityDeps & { readonly removeFile: (key: string) => Promise<void> };

export type WorkerDeps = ProofDeps & PaymentDeps & PrivacyDeps;
