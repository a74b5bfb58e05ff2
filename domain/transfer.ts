// Transfers: a vehicle driven from one branch to another by staff, without revenue, under a ticket.
import { DomainError } from './errors.ts';
import type { Reassignment } from './rental.ts';

export const TRANSFER_STATUSES = ['planned', 'under_way', 'arrived', 'cancelled'] as const;
export type TransferStatus = (typeof TRANSFER_STATUSES)[number];

/** What a person may say; the system adds why it ended one by itself. */
export const CANCEL_REASONS = ['not-needed', 'vehicle', 'driver', 'other'] as const;
export type CancelReason =
  | (typeof CANCEL_REASONS)[number]
  /** Nobody had driven it by the time at which it should have arrived. */
  | 'not-departed'
  /** The calendar gave it up: its vehicle will not be where it starts. */
  | 'void';

/** Instants are ISO 8601 in UTC; ids are UUIDs or codes. No personal data. */
export type TransferPlan = {
  readonly id: string;
  /** A certain vehicle, or the best one of a class at a branch. */
  readonly vehicle: { readonly id: string } | { readonly classId: string; readonly at: string };
  readonly toBranchId: string;
  /** A staff member, when known already. */
  readonly driverId: string | null;
  readonly departsAt: string;
  /** Left out, after the travel time of the two branches; never sooner than that. */
  readonly arrivesAt: string | null;
};

export type TransferState = {
  readonly id: string;
  readonly status: TransferStatus;
  readonly vehicleId: string;
  readonly classId: string;
  readonly fromBranchId: string;
  readonly toBranchId: string;
  readonly driverId: string | null;
  readonly departsAt: string;
  readonly arrivesAt: string;
  /** It has not departed, or not arrived, long after it should have. */
  readonly overdue: boolean;
  /** Until when the calendar was kept for it at its last overdue turn. */
  readonly keptUntil: string | null;
  readonly departedAt: string | null;
  readonly arrivedAt: string | null;
  readonly odometerOutKm: number | null;
  readonly odometerInKm: number | null;
  readonly fuelOutEighths: number | null;
  readonly fuelInEighths: number | null;
  readonly cancelReason: CancelReason | null;
  readonly version: number;
};

export type Depart = {
  readonly odometerKm: number;
  readonly fuelEighths: number;
  /** Left out, now; a note may be entered later, but nothing that is yet to come. */
  readonly at?: string | undefined;
  /** Who drives, where it was not known or is somebody else. */
  readonly driverId?: string | undefined;
};
export type Arrive = Omit<Depart, 'driverId'>;
export type CancelTransfer = { readonly reason: CancelReason };

export type TransferCommand =
  | (Depart & { readonly type: 'depart' })
  | (Arrive & { readonly type: 'arrive' })
  | (CancelTransfer & { readonly type: 'cancel' })
  | { readonly type: 'markOverdue' };
export type TransferCommandType = TransferCommand['type'];

/** The state after a command, and rentals that it moved to other vehicles. */
export type TransferOutcome = {
  readonly transfer: TransferState;
  readonly reassigned: readonly Reassignment[];
};

const ALLOWED: Readonly<Record<TransferStatus, readonly TransferCommandType[]>> = {
  planned: ['depart', 'cancel', 'markOverdue'],
  under_way: ['arrive', 'markOverdue'],
  arrived: [],
  cancelled: [],
};

export function isOver({ status }: Pick<TransferState, 'status'>): boolean {
  return status === 'arrived' || status === 'cancelled';
}

/** What people may do with it now. */
export function allowedCommands(status: TransferStatus): readonly TransferCommandType[] {
  return ALLOWED[status].filter((command) => command !== 'markOverdue');
}

/** A drive begins now or later. Throws `pick-up-in-past` or `due-not-later`. */
export function decidePlan(plan: TransferPlan, now: string): void {
  if (Date.parse(plan.departsAt) < Date.parse(now) - PAST_MINUTES * MINUTE_MS) {
    throw new DomainError('pick-up-in-past', 'The departure has passed; choose a later one.', {
      departsAt: plan.departsAt,
    });
  }
  if (plan.arrivesAt !== null && Date.parse(plan.arrivesAt) <= Date.parse(plan.departsAt)) {
    throw new DomainError('due-not-later', 'It must arrive after it departs.', {
      arrivesAt: plan.arrivesAt,
    });
  }
}

/**
 * Whether the state allows the command, which gets its instant. Throws `invalid-state`, `invalid-time`
 * for one that is still to come or before the departure, `odometer-rollback`.
 */
export function decide(
  state: TransferState,
  command: TransferCommand,
  now: string,
): TransferCommand {
  if (!ALLOWED[state.status].includes(command.type)) {
    throw new DomainError(
      'invalid-state',
      `A transfer that is ${state.status} does not allow ${command.type}.`,
      { transferStatus: state.status, command: command.type },
    );
  }
  if (command.type !== 'depart' && command.type !== 'arrive') return command;
  const at = command.at ?? now;
  if (Date.parse(at) > Date.parse(now) + SKEW_MS) {
    throw new DomainError('invalid-time', 'This has not happened yet; enter it when it has.', {
      at,
    });
  }
  if (command.type === 'arrive') checkArrival(state, command, at);
  return { ...command, at };
}

function checkArrival(state: TransferState, { odometerKm }: Arrive, at: string): void {
  const { departedAt, odometerOutKm } = state;
  if (departedAt !== null && Date.parse(at) <= Date.parse(departedAt)) {
    throw new DomainError('invalid-time', 'It arrived before it departed.', { at, departedAt });
  }
  if (odometerOutKm !== null && odometerKm < odometerOutKm) {
    throw new DomainError('odometer-rollback', 'The odometer reads less than at the departure.', {
      lastKm: odometerOutKm,
    });
  }
}

const MINUTE_MS = 60_000;
/** Clocks of callers differ; a plan for now is not refused for the time it took to send it. */
const SKEW_MS = 5 * MINUTE_MS;
const PAST_MINUTES = 15;
/** Roads are no timetables: so late it is somebody's concern. */
const GRACE_MS = 60 * MINUTE_MS;
/** While it is late its calendar is moved on each hour, as a rental's (decisions.md 5). */
const EVERY_MS = 60 * MINUTE_MS;
/** How far ahead of an overdue turn the vehicle counts as not there. */
export const KEPT_AHEAD_MS = 120 * MINUTE_MS;

/** What the clock does to a transfer; `id` is made of business facts, so a repeat is known. */
export type TransferDeadline = {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly id: string;
  readonly command: TransferCommand & { readonly type: 'markOverdue' | 'cancel' };
};

/** The next thing that the clock does; null when only people move it on. */
export function nextDeadline(state: TransferState): TransferDeadline | null {
  if (isOver(state)) return null;
  const { id, status, overdue, departsAt, arrivesAt, keptUntil } = state;
  const mark = (at: number): TransferDeadline => ({
    at,
    id: `${id}/overdue/${new Date(at).toISOString()}`,
    command: { type: 'markOverdue' },
  });
  if (status === 'under_way') {
    return mark(
      keptUntil === null
        ? Date.parse(arrivesAt) + GRACE_MS
        : Date.parse(keptUntil) - KEPT_AHEAD_MS + EVERY_MS,
    );
  }
  const missed = Date.parse(departsAt) + GRACE_MS;
  if (!overdue) return mark(missed);
  // Nobody drove it: what relies on its arrival has to hear of that.
  const at = Math.max(Date.parse(arrivesAt), missed + GRACE_MS);
  return { at, id: `${id}/lapse`, command: { type: 'cancel', reason: 'not-departed' } };
}

/** Of one that departs late the arrival is expected as much later. */
export function arrivalAfter(
  { departsAt, arrivesAt }: Pick<TransferState, 'departsAt' | 'arrivesAt'>,
  departedAt: string,
): string {
  const late = Date.parse(departedAt) - Date.parse(departsAt);
  return late <= 0 ? arrivesAt : new Date(Date.parse(arrivesAt) + late).toISOString();
}
