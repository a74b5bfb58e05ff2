// The nightly proof: what must agree about a rental and a vehicle, and who mends what does not.
import type { Role } from './people.ts';
import { isFinal, type RentalStatus } from './rental.ts';

/** Each with the role that mends it. */
export const DIFFERENCES = {
  'rental-without-span': 'fleet-planner',
  'span-without-rental': 'fleet-planner',
  'span-differs': 'fleet-planner',
  'rental-without-workflow': 'administrator',
  'workflow-without-rental': 'administrator',
  'workflow-differs': 'administrator',
  'vehicle-status': 'fleet-planner',
  'vehicle-place': 'branch-manager',
  'quote-not-released': 'administrator',
  'transfer-without-span': 'fleet-planner',
  'span-without-transfer': 'fleet-planner',
  'transfer-without-workflow': 'administrator',
  'workflow-without-transfer': 'administrator',
} as const satisfies Readonly<Record<string, Role>>;
export type DifferenceKind = keyof typeof DIFFERENCES;

/** In the order in which doubts about them are settled. */
export const SUBJECTS = ['rental', 'vehicle', 'quote', 'transfer'] as const;
export type SubjectType = (typeof SUBJECTS)[number];
export type Subject = { readonly type: SubjectType; readonly id: string };

export type RentalSide = {
  readonly status: RentalStatus;
  readonly version: number;
  /** Of the row: null until check-out. */
  readonly vehicleId: string | null;
  readonly branchId: string;
  readonly returnBranchId: string;
  readonly pickUpAt: string;
  readonly dueAt: string;
  readonly checkedOutAt: string | null;
  readonly checkedInAt: string | null;
  /** It was in the key drop: `checkedInAt` is the renter's claim, and the calendar's time is later. */
  readonly afterHours?: boolean;
  /** When and where the vehicle of now went out: after an exchange not those of the rental. */
  readonly keysOutAt?: string | null;
  readonly keysOutBranchId?: string | null;
};
export type SpanSide = {
  readonly grip: string;
  readonly vehicleId: string | null;
  readonly branchOut: string;
  readonly branchIn: string;
  readonly from: string;
  readonly to: string;
  readonly turnaroundMinutes: number;
};
/** `requested` before it is a rental. */
export type WorkflowSide = {
  readonly status: string;
  readonly version: number;
  readonly vehicleId: string | null;
};

/** What the three say about one rental; null where one of them knows nothing of it. */
export type RentalSides = {
  readonly id: string;
  readonly rental: RentalSide | null;
  readonly span: SpanSide | null;
  /** The workflow that runs now; one that has ended is none. */
  readonly workflow: WorkflowSide | null;
};

/** Both sides, each by its name. */
export type Sides = Readonly<Record<string, object | null>>;
export type Difference = {
  readonly kind: DifferenceKind;
  readonly subject: Subject;
  readonly branchId: string | null;
  readonly sides: Sides;
};

export function isOpen(rental: RentalSide | null): rental is RentalSide {
  return rental !== null && !isFinal(rental.status);
}

/** `now` is ISO 8601 in UTC. */
export function compareRental(sides: RentalSides, now: string): readonly Difference[] {
  const { id, rental, span, workflow } = sides;
  const branchId = rental?.branchId ?? span?.branchOut ?? null;
  const differ = (kind: DifferenceKind, named: Sides): Difference => {
    return { kind, subject: { type: 'rental', id }, branchId, sides: named };
  };
  const found: Difference[] = [];
  if (!isOpen(rental)) {
    if (span !== null && !mayOutlive(rental, span)) {
      found.push(differ('span-without-rental', { calendar: span, rental }));
    }
    if (workflow !== null) found.push(differ('workflow-without-rental', { workflow, rental }));
    return found;
  }
  if (rental.status === 'requested') {
    // It keeps nothing until a person confirms it.
    if (span !== null && span.grip !== 'released') {
      found.push(differ('span-differs', { rental, calendar: span }));
    }
  } else if (span === null || span.grip === 'released') {
    found.push(differ('rental-without-span', { rental, calendar: span }));
  } else if (!agrees(rental, span, now)) {
    found.push(differ('span-differs', { rental, calendar: span }));
  }
  const vehicleId = rental.vehicleId ?? span?.vehicleId ?? null;
  if (workflow === null) found.push(differ('rental-without-workflow', { rental, workflow }));
  else if (
    workflow.status !== rental.status ||
    workflow.version !== rental.version ||
    workflow.vehicleId !== vehicleId
  ) {
    found.push(differ('workflow-differs', { rental: { ...rental, vehicleId }, workflow }));
  }
  return found;
}

/** The turnaround of a vehicle that is back goes on after its rental was closed. */
function mayOutlive(rental: RentalSide | null, span: SpanSide): boolean {
  if (span.grip === 'released') return true;
  return rental?.status === 'closed' && span.grip === 'firm';
}

const GRIPS: Readonly<Partial<Record<RentalStatus, readonly string[]>>> = {
  reserved: ['unassigned', 'tentative', 'firm'],
  active: ['out'],
  returned: ['firm'],
};

function agrees(rental: RentalSide, span: SpanSide, now: string): boolean {
  return (
    GRIPS[rental.status]?.includes(span.grip) === true &&
    (rental.vehicleId === null || rental.vehicleId === span.vehicleId) &&
    (rental.keysOutBranchId ?? rental.branchId) === span.branchOut &&
    rental.returnBranchId === span.branchIn &&
    timesAgree(rental, span, now)
  );
}

/**
 * Out longer than booked is kept longer (decisions 5), and back is kept for a turnaround at most: the
 * next one may begin before that. Who waits at the counter begins later than booked.
 */
function timesAgree(rental: RentalSide, span: SpanSide, now: string): boolean {
  const [from, to] = [Date.parse(span.from), Date.parse(span.to)] as const;
  const pickUp = Date.parse(rental.pickUpAt);
  const turnaround = span.turnaroundMinutes * 60_000;
  const due = Date.parse(rental.dueAt) + turnaround;
  if (rental.status === 'reserved') {
    return to === due && (from === pickUp || (from > pickUp && pickUp <= Date.parse(now)));
  }
  if (from !== Date.parse(rental.keysOutAt ?? rental.checkedOutAt ?? '')) return false;
  if (rental.status === 'active') return to >= due;
  const back = rental.afterHours === true ? now : (rental.checkedInAt ?? '');
  return to <= Date.parse(back) + turnaround;
}

export type VehicleSides = {
  readonly id: string;
  readonly status: string;
  readonly branchId: string;
  /** What the calendar still counts on, blocks left out. */
  readonly live: readonly { readonly kind: string; readonly ref: string; readonly grip: string }[];
  /** Where its last trip left it; null without one, or when a person moved it since. */
  readonly leftAt: string | null;
};

const GONE: readonly string[] = ['sold', 'written_off', 'returned_to_supplier'];

export function compareVehicle(vehicle: VehicleSides): readonly Difference[] {
  const { id, status, branchId, live, leftAt } = vehicle;
  const subject: Subject = { type: 'vehicle', id };
  const found: Difference[] = [];
  const refused = live.filter(
    ({ kind }) =>
      GONE.includes(status) || (status !== 'in_service' && ['rental', 'quote'].includes(kind)),
  );
  if (refused.length > 0) {
    const sides = { vehicle: { status }, calendar: { spans: refused } };
    found.push({ kind: 'vehicle-status', subject, branchId, sides });
  }
  if (leftAt !== null && leftAt !== branchId) {
    const sides = { vehicle: { branchId }, calendar: { leftAt } };
    found.push({ kind: 'vehicle-place', subject, branchId, sides });
  }
  return found;
}

export type QuoteSide = {
  readonly id: string;
  readonly branchOut: string;
  readonly vehicleId: string | null;
  readonly heldUntil: string;
};

/** Its timer should have given it back at `heldUntil`. */
export function compareQuote(quote: QuoteSide, now: string): readonly Difference[] {
  if (Date.parse(quote.heldUntil) >= Date.parse(now)) return [];
  const { id, branchOut: branchId } = quote;
  const sides = { calendar: quote, now: { at: now } };
  return [{ kind: 'quote-not-released', subject: { type: 'quote', id }, branchId, sides }];
}
