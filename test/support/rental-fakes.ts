// The rental's activities without a database: outcomes as the real ones give them, kept in memory.
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../activities/index.ts';
import type { DomainErrorCode, ErrorDetails } from '../../domain/errors.ts';
import type { Quote } from '../../domain/pricing.ts';
import { placeAfter } from '../../domain/rental/amendment.ts';
import type {
  CheckOut,
  Reassignment,
  RentalCommand,
  RentalOutcome,
  RentalRequest,
  RentalState,
} from '../../domain/rental.ts';

type Recorded = {
  readonly rentalId: string;
  readonly commandId: string;
  readonly type: RentalCommand['type'];
  readonly version: number;
  readonly actor: string;
};

export type FakeRentals = {
  readonly activities: Pick<Activities, 'reserveRental' | 'recordCommand'>;
  /** Every command that was carried out, in order; repeats of an id are not in it. */
  readonly recorded: readonly Recorded[];
  /** How often an activity ran, repeats and refusals included. */
  readonly calls: () => number;
};

export type FakeOptions = {
  /** The clock of the database. */
  readonly now: () => Promise<number> | number;
  readonly refuseReserve?: DomainErrorCode;
  /** The class is on request: a reservation waits for an answer, so many hours at most. */
  readonly onRequestHours?: number;
  /** Refuses the command, each time it is answered with a code, or with `refusal`. */
  readonly refuse?: (
    type: RentalCommand['type'],
    attempt: number,
  ) => DomainErrorCode | ApplicationFailure | undefined;
  readonly reassigned?: (type: RentalCommand['type']) => readonly Reassignment[];
  /** What billing in cycles does, in place of what the other commands' effects would be. */
  readonly billing?: (command: RentalCommand) => Effect | undefined;
  /** What an amendment does to the vehicle; left out: the calendar was not asked. */
  readonly amendedTo?: string | null;
  /** Runs within each recording, so that a test can hold one up. */
  readonly during?: (type: RentalCommand['type']) => Promise<void>;
};

/** A vehicle id that looks like one, the same for every rental of the fakes. */
export const VEHICLE = '01990000-0000-7000-8000-00000000000a';

export const PRICE = {
  currency: 'EUR',
  planId: 'GOLD-1',
  planVersion: 1,
  lines: [],
  netMinor: 5_000,
  vat: [{ rateBp: 2_000, baseMinor: 5_000, vatMinor: 1_000 }],
  vatMinor: 1_000,
  totalMinor: 6_000,
} as unknown as Quote;

export function fakeRentals(options: FakeOptions): FakeRentals {
  const recorded: Recorded[] = [];
  const outcomes = new Map<string, RentalOutcome>();
  let calls = 0;
  const activities: FakeRentals['activities'] = {
    reserveRental: async ({ command }) => {
      calls += 1;
      if (options.refuseReserve !== undefined) throw refusal(options.refuseReserve);
      if (command.keys !== undefined) return handedOut(command, command.keys);
      if (options.onRequestHours === undefined) return reservedState(command);
      const answerBy = new Date((await options.now()) + options.onRequestHours * 3_600_000);
      return requestedState(command, answerBy.toISOString());
    },
    recordCommand: async ({ rentalId, commandId, command, version, actor }) => {
      calls += 1;
      await options.during?.(command.type);
      const known = outcomes.get(commandId);
      if (known !== undefined) return known;
      const refused = options.refuse?.(command.type, calls);
      if (refused !== undefined) throw typeof refused === 'string' ? refusal(refused) : refused;
      const at = new Date(await options.now()).toISOString();
      const reassigned = options.reassigned?.(command.type) ?? [];
      const effect = options.billing?.(command) ?? effectOf(command, options.amendedTo);
      const outcome = { ...effect, at, version: version + 1, reassigned };
      const principal = `${actor.kind}:${actor.id}`;
      recorded.push({ rentalId, commandId, type: command.type, version, actor: principal });
      outcomes.set(commandId, outcome);
      return outcome;
    },
  };
  return { activities, recorded, calls: () => calls };
}

export function refusal(
  code: DomainErrorCode,
  details: ErrorDetails = { of: 'fake' },
): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`Refused: ${code}.`, code, details);
}

export function reservedState(request: RentalRequest): RentalState {
  return {
    ...request,
    number: 'R-000001',
    status: 'reserved',
    overdue: false,
    vehicleId: VEHICLE,
    returnBranchId: request.branchId,
    entityId: 'FC-AT',
    noShowAt: new Date(Date.parse(request.pickUpAt) + 2 * 3_600_000).toISOString(),
    graceMinutes: 60,
    reminderMinutes: 120,
    checkedOutAt: null,
    odometerOutKm: null,
    fuelOutEighths: null,
    checkedInAt: null,
    odometerInKm: null,
    fuelInEighths: null,
    price: PRICE,
    invoiceId: null,
    invoiceNumber: null,
    version: 1,
  };
}

/** Who stood at the counter, whose keys went out at once. */
function handedOut({ keys: _keys, ...request }: RentalRequest, keys: CheckOut): RentalState {
  const { pickUpAt: checkedOutAt } = request;
  const reading = { odometerOutKm: keys.odometerKm, fuelOutEighths: keys.fuelEighths };
  return { ...reservedState(request), ...reading, status: 'active', checkedOutAt, walkUp: true };
}

export function requestedState(request: RentalRequest, answerBy: string): RentalState {
  return { ...reservedState(request), status: 'requested', vehicleId: null, answerBy };
}

/** Far enough ahead that no test comes to it. */
const NO_SHOW_AT = '2099-01-01T00:00:00.000Z';
const FAR = NO_SHOW_AT;

type Effect = RentalOutcome extends infer O
  ? O extends RentalOutcome
    ? Omit<O, 'at' | 'version' | 'reassigned'>
    : never
  : never;

function effectOf(command: RentalCommand, amendedTo?: string | null): Effect {
  switch (command.type) {
    case 'checkOut':
      return { ...command, type: 'checkedOut', vehicleId: VEHICLE };
    case 'extend':
      return { ...command, type: 'extended', vehicleId: VEHICLE, price: PRICE };
    case 'amend': {
      const booked = { classId: 'CDMR', returnBranchId: 'VIE', pickUpAt: FAR, dueAt: FAR };
      const kept = { price: PRICE, noShowAt: NO_SHOW_AT, payerId: null };
      const placed = amendedTo === undefined ? {} : { vehicleId: amendedTo };
      return { type: 'amended', ...kept, ...placed, ...placeAfter(booked, command) };
    }
    case 'swap': {
      const { vehicleId = VEHICLE, classId: givenClassId = 'CDMR' } = command;
      return { type: 'swapped', vehicleId, classId: 'CDMR', givenClassId, price: PRICE };
    }
    case 'exchange': {
      const { odometerKm, fuelEighths, reason, branchId } = command;
      const back = { odometerKm, fuelEighths };
      const before = { vehicleId: VEHICLE, reason, branchId, from: FAR, to: FAR, out: back, back };
      const vehicleId = command.taken?.vehicleId ?? VEHICLE;
      return { ...back, type: 'exchanged', vehicleId, before, price: PRICE };
    }
    case 'checkIn':
      return { ...command, type: 'checkedIn', price: PRICE, invoiceId: 'i', invoiceNumber: 'A-1' };
    case 'cancel':
      return { type: 'cancelled' };
    case 'confirm':
      return { type: 'confirmed', vehicleId: VEHICLE, noShowAt: NO_SHOW_AT };
    case 'decline':
      return { type: 'declined' };
    case 'expire':
      return { type: 'expired' };
    case 'noShow':
      return { type: 'noShow' };
    case 'raiseShortage':
      return { type: 'shortageRaised' };
    case 'remind':
      return { type: 'reminded' };
    case 'undoCheckOut':
      return { type: 'checkOutUndone', vehicleId: VEHICLE, noShowAt: NO_SHOW_AT };
    case 'reinstate':
      return { type: 'reinstated', vehicleId: VEHICLE, noShowAt: NO_SHOW_AT };
    case 'announceDelay':
      return { ...command, type: 'delayAnnounced', noShowAt: NO_SHOW_AT };
    case 'announceReturn':
      return { type: 'returnAnnounced', announcedReturnAt: command.at };
    case 'markOverdue':
      return { type: 'overdueMarked' };
    case 'billCycle':
      return { type: 'cycleBilled', cycleEndsAt: FAR, payableBy: null };
    case 'checkArrears':
      return { type: 'arrearsChecked', arrears: false, nextCheckAt: null };
    case 'close':
      return { type: 'closed' };
    default:
      return command satisfies never;
  }
}
