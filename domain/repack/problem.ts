// What a repack is asked: vehicles with their fixed times, and the spans that may move among them.

/**
 * A time that stays as it is: out, firm, a transfer, a workshop, another pool's rental. Without
 * branches (a hold, a sub-rental's window) it takes the vehicle and says nothing of its place.
 */
export type FixedTime = {
  readonly from: number;
  readonly to: number;
  readonly branchOut: string | null;
  readonly branchIn: string | null;
};

export type RepackVehicle = {
  readonly id: string;
  /** Where it stands before the first of its times. */
  readonly branchId: string;
  readonly fixed: readonly FixedTime[];
  /** Ids of spans that it may not take, because a hold keeps it within their time. */
  readonly refuses?: readonly string[];
};

/** Tentative on `vehicleId`, or a demand that has none yet and must get one. */
export type RepackSpan = {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly branchOut: string;
  readonly branchIn: string;
  readonly vehicleId: string | null;
  /** The vehicle that a demand gives up: what follows on it may count on its journey until then. */
  readonly leaves?: string;
};

/** All times are milliseconds since 1970, half-open, turnaround included; infinite ends are fine. */
export type RepackProblem = {
  readonly vehicles: readonly RepackVehicle[];
  readonly spans: readonly RepackSpan[];
};

export type RepackMove = { readonly id: string; readonly vehicleId: string };

/** `none` is proved: no placement exists. `exhausted` is not: the budget ended before an answer. */
export type RepackResult =
  | { readonly outcome: 'plan'; readonly moves: readonly RepackMove[]; readonly nodes: number }
  | { readonly outcome: 'none' | 'exhausted'; readonly nodes: number };

export type Period = { readonly from: number; readonly to: number };

export function meet(a: Period, b: Period): boolean {
  return a.from < b.to && b.from < a.to;
}

export function isOneWay(span: RepackSpan): boolean {
  return span.branchOut !== span.branchIn;
}
