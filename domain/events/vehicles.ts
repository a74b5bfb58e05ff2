// The facts of the vehicles domain: branches, classes, vehicles, their papers, holds and moves.

type BranchFact = {
  readonly branchId: string;
  readonly entityId: string;
  readonly timeZone: string;
};

/** `holdType` and `severity` as in domain/hold.ts. */
type HoldFact = {
  readonly holdId: string;
  readonly vehicleId: string;
  readonly holdType: string;
  readonly severity: string;
};

/** `documentKind` as in domain/vehicle-document.ts; `expiresOn` is the last good day. */
type VehicleDocumentFact = {
  readonly documentId: string;
  readonly vehicleId: string;
  readonly documentKind: string;
  readonly expiresOn: string | null;
};

/** A full pool's bookings wait for a person's answer, `answerMinutes` long. */
type OnRequestFact = {
  readonly branchId: string;
  readonly classId: string;
  readonly answerMinutes: number;
};

type OverbookingLimitFact = {
  readonly limitId: string;
  readonly branchId: string;
  readonly classId: string;
};

/** `status` is the one after the fact. */
export type TransferFact = {
  readonly transferId: string;
  readonly status: string;
  readonly vehicleId: string;
  readonly fromBranchId: string;
  readonly toBranchId: string;
};

/** Null: all of them. Local dates, both included. */
type StopSellFact = {
  readonly stopSellId: string;
  readonly branchId: string | null;
  readonly classId: string | null;
  readonly fromDate: string;
  readonly toDate: string;
};

type RecallFact = { readonly recallId: string; readonly vehicles: number };

/** Data by event type. */
export type VehicleEvents = {
  readonly 'forecourt.branch.registered.v1': BranchFact;
  readonly 'forecourt.branch.updated.v1': BranchFact;
  readonly 'forecourt.class.registered.v1': { readonly classId: string };
  readonly 'forecourt.class.updated.v1': { readonly classId: string };
  readonly 'forecourt.vehicle.dtc-raised.v1': {
    readonly vehicleId: string;
    readonly code: string;
    readonly raisedAt: string;
  };
  readonly 'forecourt.vehicle.registered.v1': {
    readonly vehicleId: string;
    readonly branchId: string;
    readonly classId: string;
    readonly odometerKm: number;
  };
  readonly 'forecourt.vehicle.span-reassigned.v1': {
    readonly spanId: string;
    readonly rentalId: string;
    readonly vehicleId: string | null;
    /** Why it has none although the limit allows none: somebody has to act. */
    readonly reason: string | null;
  };
  readonly 'forecourt.overbooking-limit.set.v1': OverbookingLimitFact;
  readonly 'forecourt.overbooking-limit.changed.v1': OverbookingLimitFact;
  readonly 'forecourt.on-request.set.v1': OnRequestFact;
  readonly 'forecourt.on-request.withdrawn.v1': OnRequestFact;
  readonly 'forecourt.shortage.raised.v1': {
    readonly caseId: string;
    readonly rentalId: string;
    readonly branchId: string;
    readonly classId: string;
    readonly pickUpAt: string;
  };
  /** `step` of the ladder; costs are the company's, net. */
  readonly 'forecourt.shortage.resolved.v1': {
    readonly caseId: string;
    readonly rentalId: string;
    readonly branchId: string;
    readonly step: string;
    readonly vehicleId: string | null;
    readonly costMinor: number | null;
    readonly currency: string | null;
  };
  readonly 'forecourt.stop-sell.set.v1': StopSellFact;
  readonly 'forecourt.stop-sell.ended.v1': StopSellFact;
  readonly 'forecourt.transfer.planned.v1': TransferFact & {
    readonly classId: string;
    readonly departsAt: string;
    readonly arrivesAt: string;
  };
  readonly 'forecourt.transfer.departed.v1': TransferFact & {
    readonly odometerKm: number;
    readonly departedAt: string;
  };
  /** `km` were driven without revenue. */
  readonly 'forecourt.transfer.arrived.v1': TransferFact & {
    readonly odometerKm: number;
    readonly km: number;
    readonly arrivedAt: string;
  };
  readonly 'forecourt.transfer.cancelled.v1': TransferFact & { readonly reason: string };
  /** Null: it has not departed yet. */
  readonly 'forecourt.transfer.overdue.v1': TransferFact & {
    readonly arrivesAt: string;
    readonly keptUntil: string | null;
  };
  readonly 'forecourt.travel-time.set.v1': {
    readonly fromBranchId: string;
    readonly toBranchId: string;
    readonly minutes: number;
  };
  readonly 'forecourt.vehicle.updated.v1': {
    readonly vehicleId: string;
    readonly branchId: string;
    readonly classId: string;
  };
  readonly 'forecourt.vehicle.status-changed.v1': {
    readonly vehicleId: string;
    readonly branchId: string;
    readonly classId: string;
    readonly previousStatus: string;
    readonly status: string;
    /** Also before it is held, when that is planned. */
    readonly heldForSaleAt: string | null;
  };
  readonly 'forecourt.vehicle.document-added.v1': VehicleDocumentFact;
  readonly 'forecourt.vehicle.document-withdrawn.v1': VehicleDocumentFact;
  readonly 'forecourt.hold.applied.v1': HoldFact;
  readonly 'forecourt.hold.changed.v1': HoldFact;
  readonly 'forecourt.hold.lifted.v1': HoldFact;
  readonly 'forecourt.recall.opened.v1': RecallFact & {
    readonly deadlineAt: string;
    readonly hardAt: string | null;
  };
  readonly 'forecourt.recall.amended.v1': RecallFact & {
    readonly deadlineAt: string;
    readonly hardAt: string | null;
  };
  readonly 'forecourt.recall.grounded.v1': RecallFact;
  readonly 'forecourt.recall.renter-notified.v1': {
    readonly recallId: string;
    readonly vehicleId: string;
    readonly rentalId: string;
    readonly channel: string;
  };
  readonly 'forecourt.fleet.proved.v1': {
    readonly proofId: string;
    readonly rentals: number;
    readonly workflows: number;
    readonly vehicles: number;
    readonly differences: number;
  };
};
