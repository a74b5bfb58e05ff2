// Another vehicle in the middle of a rental: calendar, segments, price and rental in one transaction.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { DomainError } from '../../domain/errors.ts';
import { withUpgrade } from '../../domain/pricing/upgrade.ts';
import type { Quote } from '../../domain/pricing.ts';
import type { RatePlan } from '../../domain/rate-plan.ts';
import type { Exchange, HoldWarning, Reading, RentalOutcome } from '../../domain/rental.ts';
import { publish } from '../outbox.ts';
import { currentTerms } from '../queries/rentals.ts';
import { type ChangeAnswer, changed } from './calendar.ts';
import { priceInSequence } from './consecutive-hire.ts';
import { assertCredit } from './credit-exposure.ts';
import { demandDeposit } from './deposit-needs.ts';
import { recordHolds, type SetHold } from './holds.ts';
import { recordDashReading } from './meters.ts';
import { assertDrivers } from './rental-drivers.ts';
import { classFees, exchangeSegment, type Segment, segmentsOf } from './rental-segments.ts';
import { type Recording, ratingOf, updateRental } from './rental-update.ts';

/**
 * Throws `vehicle-unavailable` when no vehicle of the class or above it is there, `no-vehicle` for one
 * that cannot be handed out, `vehicle-held`, `odometer-rollback`, `driver-ineligible` for the class
 * of the new one, `not-found` for a branch that is unknown, `deposit-required` and `credit-limit` where
 * it costs more: then all stays as it was.
 */
export async function exchangeVehicle(
  recording: Recording,
  command: Exchange,
): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const { reason, branchId } = command;
  const segments = await segmentsOf(tx, row.id);
  const old = segments.at(-1);
  if (old === undefined) throw new Error(`Rental ${row.id} is out without a segment.`);
  const returned = readingIn(command);
  const given = await exchangeSpan(recording, old, command);
  const { vehicleId, moved: reassigned, warnings } = given;
  const taken = readingIn(given);
  await assertDrivers(tx, row.id, given.classId);
  const back = { vehicleId: old.vehicleId, ...returned, origin: 'check-in' } as const;
  const out = { vehicleId, ...taken, origin: 'check-out' } as const;
  for (const reading of [back, out]) await recordDashReading(tx, { ...reading, at });
  const upgrade = await upgradeOf(recording, old, given, command);
  const change = { branchId, at, reason, returned, vehicleId, taken, upgrade };
  await exchangeSegment(tx, row, old, change);
  const ofClass = await priceOf(recording, segments, upgrade);
  const price = await priceInSequence(tx, row, vehicleId, at, ofClass);
  const isMore = price.totalMinor > row.total_minor;
  // As an extension does: more is asked of the card, and then all of this again.
  const secured = isMore ? { deposit_minor: await demandDeposit(tx, { ...row, price }) } : {};
  const version = await updateRental(recording, {
    vehicle_id: vehicleId,
    odometer_out_km: taken.odometerKm,
    fuel_out_eighths: taken.fuelEighths,
    price: JSON.stringify(price),
    total_minor: price.totalMinor,
    ...secured,
  });
  if (isMore) await assertCredit(tx, row.id);
  await publish(tx, {
    type: 'forecourt.rental.vehicle-exchanged.v1',
    aggregateId: row.id,
    sequence: version,
    data: {
      rentalId: row.id,
      branchId: row.branch_id,
      status: row.status,
      vehicleId,
      previousVehicleId: old.vehicleId,
      exchangeBranchId: branchId,
      reason,
      ...returned,
      exchangedAt: at,
      totalMinor: price.totalMinor,
      currency: row.currency,
    },
  });
  const { from, out: keysOut } = old;
  const before = {
    ...{ vehicleId: old.vehicleId, reason, branchId },
    ...{ from, to: at, out: keysOut, back: returned },
  };
  const told = warnings === undefined || warnings.length === 0 ? {} : { warnings };
  return {
    type: 'exchanged',
    at,
    version,
    reassigned,
    vehicleId,
    ...taken,
    before,
    price,
    ...told,
  };
}

function readingIn({ odometerKm, fuelEighths }: Reading): Reading {
  return { odometerKm, fuelEighths };
}

type Given = Reading & {
  /** Of the vehicle that goes out, and of the one that came back. */
  readonly classId: string;
  readonly classBefore: string;
  readonly hold?: SetHold;
  readonly warnings?: readonly HoldWarning[];
};

async function exchangeSpan({ tx, row, at }: Recording, old: Segment, command: Exchange) {
  const { branchId, odometerKm, fuelEighths, taken = {}, hold: type } = command;
  const reason = `Given back out of rental ${row.number}`;
  const hold = type && { id: uuidv7(), type, severity: 'hard' as const, reason };
  const given = await changed<ChangeAnswer & Given>(
    tx,
    sql`vehicles.exchange_span(${row.id}, ${old.id}, ${row.class_id}, ${branchId}, ${at},
      ${odometerKm}, ${fuelEighths}, ${JSON.stringify(taken)},
      ${hold === undefined ? null : JSON.stringify(hold)})`,
  );
  if (given.hold !== undefined) await recordHolds(tx, 'apply', [given.hold], { ...hold });
  return given;
}

/** Agreed now; or as before, when a vehicle of the same class stands in for the better one. */
async function upgradeOf(
  { tx, row }: Recording,
  old: Segment,
  { classId, classBefore }: Given,
  { paidUpgrade }: Exchange,
): Promise<Segment['upgrade']> {
  if (paidUpgrade !== true) return classId === classBefore ? old.upgrade : null;
  const found = await currentTerms(tx, { branchId: row.branch_id, classId }).executeTakeFirst();
  if (found === undefined) {
    throw new DomainError('not-found', 'No rate plan prices this class.', { of: 'plan' });
  }
  const { id, version } = found.terms as unknown as RatePlan;
  return { id, version };
}

/** As it was, but for what a better class costs until the rental is due. */
async function priceOf(
  recording: Recording,
  before: readonly Segment[],
  upgrade: Segment['upgrade'],
): Promise<Quote> {
  const { tx, row } = recording;
  if (upgrade === null && before.every((segment) => segment.upgrade === null)) return row.price;
  const { rating } = await ratingOf(tx, row, row.due_at);
  const { booked, ...terms } = rating;
  const fees = classFees(rating, await segmentsOf(tx, row.id), row.due_at);
  const netMinor = fees.find(({ code }) => code === 'fee.upgrade')?.netMinor ?? 0;
  return withUpgrade(booked, netMinor, { ...booked.chosen, ...terms, returnAt: row.due_at });
}
