// The nightly proof of transfers: ticket, calendar and running workflow must say the same.
import type {
  Difference,
  DifferenceKind,
  Sides,
  SpanSide,
  WorkflowSide,
} from './reconciliation.ts';
import { isOver, type TransferState } from './transfer.ts';

export type TransferSide = Pick<
  TransferState,
  | 'status'
  | 'version'
  | 'vehicleId'
  | 'fromBranchId'
  | 'toBranchId'
  | 'departsAt'
  | 'arrivesAt'
  | 'departedAt'
>;

/** What the three say about one transfer; null where one of them knows nothing of it. */
export type TransferSides = {
  readonly id: string;
  readonly transfer: TransferSide | null;
  readonly span: SpanSide | null;
  /** The workflow that runs now; one that has ended is none. */
  readonly workflow: WorkflowSide | null;
};

/**
 * A planned one whose span was given up (its vehicle will not be where it starts) differs as well:
 * somebody has to plan anew.
 */
export function compareTransfer(sides: TransferSides): readonly Difference[] {
  const { id, transfer, span, workflow } = sides;
  const branchId = transfer?.fromBranchId ?? span?.branchOut ?? null;
  const differ = (kind: DifferenceKind, named: Sides): Difference => {
    return { kind, subject: { type: 'transfer', id }, branchId, sides: named };
  };
  const found: Difference[] = [];
  const isKept = span !== null && span.grip !== 'released';
  if (transfer === null || isOver(transfer)) {
    // The turnaround after an arrival is firm, and goes on.
    if (isKept && !(transfer?.status === 'arrived' && span.grip === 'firm')) {
      found.push(differ('span-without-transfer', { calendar: span, transfer }));
    }
    if (workflow !== null) found.push(differ('workflow-without-transfer', { workflow, transfer }));
    return found;
  }
  if (!isKept) found.push(differ('transfer-without-span', { transfer, calendar: span }));
  else if (!agrees(transfer, span))
    found.push(differ('span-differs', { transfer, calendar: span }));
  if (workflow === null) found.push(differ('transfer-without-workflow', { transfer, workflow }));
  else if (
    workflow.status !== transfer.status ||
    workflow.version !== transfer.version ||
    workflow.vehicleId !== transfer.vehicleId
  ) {
    found.push(differ('workflow-differs', { transfer, workflow }));
  }
  return found;
}

/** Under way it is kept as long as it takes, so its end says nothing. */
function agrees(transfer: TransferSide, span: SpanSide): boolean {
  const [from, to] = [Date.parse(span.from), Date.parse(span.to)] as const;
  const isPlace =
    transfer.vehicleId === span.vehicleId &&
    transfer.fromBranchId === span.branchOut &&
    transfer.toBranchId === span.branchIn;
  if (!isPlace) return false;
  if (transfer.status === 'under_way') {
    return span.grip === 'out' && from === Date.parse(transfer.departedAt ?? '');
  }
  const until = Date.parse(transfer.arrivesAt) + span.turnaroundMinutes * 60_000;
  return span.grip === 'tentative' && from === Date.parse(transfer.departsAt) && to === until;
}
