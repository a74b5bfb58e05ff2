// A vehicle's life in the fleet: its states, what may follow which, and what may stand in the way.
import { type Detail, DomainError } from './errors.ts';

export const VEHICLE_STATUSES = [
  'ordered',
  'preparing',
  'in_service',
  'held_for_sale',
  'sold',
  'written_off',
  'returned_to_supplier',
] as const;
export type VehicleStatus = (typeof VEHICLE_STATUSES)[number];

export const OWNERSHIPS = ['owned', 'leased', 'sub_rented'] as const;
export type Ownership = (typeof OWNERSHIPS)[number];

export const ENERGIES = [
  'petrol',
  'diesel',
  'hybrid',
  'plug_in',
  'electric',
  'hydrogen',
  'lpg',
  'ethanol',
] as const;
export type Energy = (typeof ENERGIES)[number];

export const STATUS_COMMANDS = [
  'prepare',
  'activate',
  'hold-for-sale',
  'sell',
  'write-off',
  'return-to-supplier',
] as const;
export type StatusCommandName = (typeof STATUS_COMMANDS)[number];

type Transition = { readonly to: VehicleStatus; readonly from: readonly VehicleStatus[] };

/**
 * The one table of the status machine; the database's trigger holds the same pairs. What is at hand
 * can be written off; what is sold, written off or returned never comes back.
 */
export const TRANSITIONS: Readonly<Record<StatusCommandName, Transition>> = {
  prepare: { to: 'preparing', from: ['ordered', 'in_service'] },
  activate: { to: 'in_service', from: ['preparing', 'held_for_sale'] },
  'hold-for-sale': { to: 'held_for_sale', from: ['in_service'] },
  sell: { to: 'sold', from: ['held_for_sale'] },
  'write-off': { to: 'written_off', from: ['preparing', 'in_service', 'held_for_sale'] },
  'return-to-supplier': { to: 'returned_to_supplier', from: ['preparing', 'in_service'] },
};

/** A span that the calendar still counts on, permanent blocks left out. */
export type LiveSpan = {
  readonly spanId: string;
  readonly kind: string;
  readonly ref: string;
  readonly grip: string;
  readonly from: string;
  readonly to: string;
};

export type VehicleState = {
  readonly id: string;
  readonly status: VehicleStatus;
  readonly ownership: Ownership;
  /** Set while it is held for sale, and before, when that is planned. */
  readonly heldForSaleAt: string | null;
  readonly liveSpans: readonly LiveSpan[];
};

export type StatusCommand = {
  readonly name: StatusCommandName;
  /** Of `hold-for-sale` alone: from when on nothing new is booked; left out, from now on. */
  readonly from?: string | undefined;
};

/** `at` is later than now only for a sale that is planned: the vehicle serves until then. */
export type StatusIntent = { readonly to: VehicleStatus; readonly at: string };

/**
 * What the command comes to. Throws `invalid-state`, whose details name the reason: `transition`,
 * `ownership`, or `booked` with the spans that must be moved first.
 */
export function decideStatus(
  vehicle: VehicleState,
  command: StatusCommand,
  now: string,
): StatusIntent {
  const { to, from } = TRANSITIONS[command.name];
  const calledOff = command.name === 'activate' && isSalePlanned(vehicle);
  if (!calledOff && !from.includes(vehicle.status)) {
    refuse(
      vehicle,
      command,
      'transition',
      `is ${vehicle.status}; ${to} follows ${from.join(', ')}`,
    );
  }
  if ((to === 'held_for_sale' || to === 'sold') && vehicle.ownership !== 'owned') {
    refuse(vehicle, command, 'ownership', `is ${vehicle.ownership}, so it is not ours to sell`);
  }
  if (to === 'returned_to_supplier' && vehicle.ownership === 'owned') {
    refuse(vehicle, command, 'ownership', 'is owned, so there is no supplier to return it to');
  }
  const at = effectiveAt(vehicle, command, now);
  const later = Date.parse(at) > Date.parse(now);
  const spans = vehicle.liveSpans.filter(
    (span) => standsInTheWay(span, to) && (endsAfter(span, at) || (isOut(span) && !later)),
  );
  if (spans.length > 0) {
    const what = `is out or booked ${spans.length} time(s); move or end those first`;
    refuse(vehicle, command, 'booked', what, { spans });
  }
  return { to: later ? 'in_service' : to, at };
}

function isSalePlanned({ status, heldForSaleAt }: VehicleState): boolean {
  return status === 'in_service' && heldForSaleAt !== null;
}

/** Never back in time, but for a planned sale whose date has come. */
function effectiveAt(vehicle: VehicleState, command: StatusCommand, now: string): string {
  if (command.name !== 'hold-for-sale') return now;
  const { from } = command;
  if (from !== undefined && Date.parse(from) > Date.parse(now)) return from;
  const planned = vehicle.heldForSaleAt;
  return planned !== null && Date.parse(planned) <= Date.parse(now) ? planned : now;
}

function endsAfter(span: LiveSpan, at: string): boolean {
  return Date.parse(span.to) > Date.parse(at);
}

/** However long overdue, it is not at hand; a plan only asks when it is due. */
function isOut(span: LiveSpan): boolean {
  return span.grip === 'out';
}

/** The workshop and a drive to another branch are part of being prepared. */
const HARMLESS: ReadonlySet<string> = new Set(['maintenance', 'transfer']);

function standsInTheWay(span: LiveSpan, to: VehicleStatus): boolean {
  return to !== 'in_service' && !(to === 'preparing' && HARMLESS.has(span.kind));
}

function refuse(
  vehicle: VehicleState,
  command: StatusCommand,
  reason: string,
  what: string,
  more: { readonly spans?: readonly LiveSpan[] } = {},
): never {
  const spans: Readonly<Record<string, readonly Readonly<Record<string, Detail>>[]>> = more.spans
    ? { spans: more.spans }
    : {};
  throw new DomainError('invalid-state', `The vehicle ${what}.`, {
    vehicleId: vehicle.id,
    vehicleStatus: vehicle.status,
    command: command.name,
    reason,
    ...spans,
  });
}
