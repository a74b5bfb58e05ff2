// Another vehicle for a booking, before its pick-up: calendar, price and rental in one transaction.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { withDowngrade } from '../../domain/pricing/upgrade.ts';
import type { Quote } from '../../domain/pricing.ts';
import type { RatePlan } from '../../domain/rate-plan.ts';
import { checkConsent, type SwapDirection } from '../../domain/rental/swap.ts';
import type { RentalOutcome, Swap } from '../../domain/rental.ts';
import { publish } from '../outbox.ts';
import { currentTerms } from '../queries/rentals.ts';
import type { RentalRow } from '../rental-row.ts';
import { accepted, asked, type ChangeAnswer } from './calendar.ts';
import { creditExcess } from './prepayment-excess.ts';
import { assertDrivers } from './rental-drivers.ts';
import { downgradeUntil } from './rental-segments.ts';
import { type Recording, ratingOf, updateRental } from './rental-update.ts';

/**
 * Up the ladder or within the class the booking and its price stay; anywhere else the class is booked
 * from now on, for what it costs less (decisions.md 30). Throws `consent-required`, `vehicle-unavailable`,
 * `vehicle-held`, `driver-ineligible` for the class of the vehicle, `value-refused` when what is firm
 * is swapped without a reason, `not-found` for an unknown vehicle or class, or a lower class that no
 * plan prices: then all stays as it was.
 */
export async function swapVehicle(recording: Recording, command: Swap): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const given = await swapSpan(recording, command);
  const { vehicleId, classId: givenClass, direction, moved: reassigned } = given;
  checkConsent(direction, command.consent, givenClass);
  await assertDrivers(tx, row.id, givenClass);
  const plan = direction === 'same' ? null : await planOf(recording, given);
  const { price, lower } = await priceOf(recording, direction, plan);
  const classId = direction === 'down' ? givenClass : row.class_id;
  const isAsBooked =
    direction === 'same' && row.given_class_id !== givenClass && row.downgrade_plan_id === null;
  const givenClassId = isAsBooked ? null : givenClass;
  const version = await updateRental(recording, {
    class_id: classId,
    given_class_id: givenClassId,
    downgrade_plan_id: lower?.id ?? null,
    downgrade_plan_version: lower?.version ?? null,
    price: JSON.stringify(price),
    total_minor: price.totalMinor,
  });
  await keepTrace(recording, command, given, plan);
  await publish(tx, {
    type: 'forecourt.rental.swapped.v1',
    aggregateId: row.id,
    sequence: version,
    data: {
      ...{ rentalId: row.id, branchId: row.branch_id, status: row.status },
      ...{ vehicleId, previousVehicleId: given.previousVehicleId },
      ...{ classId, givenClassId: givenClass, direction },
      ...{ totalMinor: price.totalMinor, currency: price.currency },
    },
  });
  if (price !== row.price) {
    await creditExcess(tx, recording, price);
  }
  return { type: 'swapped', at, version, reassigned, vehicleId, classId, givenClassId, price };
}

type Given = Omit<ChangeAnswer, 'refused'> & {
  readonly previousVehicleId: string | null;
  /** Of the vehicle. */
  readonly classId: string;
  readonly direction: SwapDirection;
};
type Answer = Given & { readonly refused?: ChangeAnswer['refused'] | 'firm' };

async function swapSpan({ tx, row }: Recording, command: Swap): Promise<Given> {
  const { vehicleId = null, classId = null, reason } = command;
  const { refused, ...given } = await asked<Answer>(
    tx,
    sql`vehicles.swap_span(${row.id}, ${row.class_id}, ${vehicleId}, ${classId},
      ${reason !== undefined})`,
  );
  if (refused !== 'firm') return accepted(tx, { ...given, refused: refused ?? null });
  throw new DomainError('value-refused', 'This very vehicle was promised: say why it changes.', {
    field: 'reason',
  });
}

/** That of the given class, for its price and excess; a better one needs none. */
async function planOf(
  { tx, row }: Recording,
  { classId, direction }: Given,
): Promise<RatePlan | null> {
  const found = await currentTerms(tx, { branchId: row.branch_id, classId }).executeTakeFirst();
  if (found !== undefined) return found.terms as unknown as RatePlan;
  if (direction === 'up') return null;
  throw new DomainError('not-found', 'No rate plan prices this class.', { of: 'plan' });
}

type Lower = { readonly id: string; readonly version: number } | null;
type Priced = { readonly price: Quote; readonly lower: Lower };

/** With a lower class the price less the difference, never above what it was. */
async function priceOf(
  { tx, row }: Recording,
  direction: SwapDirection,
  plan: RatePlan | null,
): Promise<Priced> {
  const unchanged = { price: row.price, lower: downgradeOf(row) };
  if (direction !== 'down' || plan === null) return unchanged;
  const lower = { id: plan.id, version: plan.version };
  const downgraded = { ...row, downgrade_plan_id: lower.id, downgrade_plan_version: lower.version };
  const { rating } = await ratingOf(tx, downgraded, row.due_at);
  const { booked, ...terms } = rating;
  const lessMinor = downgradeUntil(rating, row.due_at);
  const request = { ...booked.chosen, ...terms, returnAt: row.due_at };
  const price = withDowngrade(booked, lessMinor, request);
  return price.totalMinor > booked.totalMinor ? unchanged : { price, lower };
}

function downgradeOf({ downgrade_plan_id: id, downgrade_plan_version: version }: RentalRow): Lower {
  return id === null || version === null ? null : { id, version };
}

/** Who agreed to what, and the plan whose excess counts for the vehicle. */
async function keepTrace(
  { tx, row, at, commandId }: Recording,
  { reason, consent }: Swap,
  { vehicleId, previousVehicleId, classId, direction }: Given,
  plan: RatePlan | null,
): Promise<void> {
  await sql`insert into rentals.swap (id, rental_id, swapped_at, swapped_by, direction,
      previous_vehicle_id, vehicle_id, booked_class_id, class_id, reason, consent, plan_id,
      plan_version)
    values (${commandId}, ${row.id}, ${at}, current_setting('app.principal'), ${direction},
      ${previousVehicleId}, ${vehicleId}, ${row.class_id}, ${classId}, ${reason ?? null}, ${consent ?? null},
      ${plan?.id ?? null}, ${plan?.version ?? null})`.execute(tx);
}
