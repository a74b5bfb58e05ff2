// A rental's vehicles one after the other, as what they used and what a better one costs are priced.
import { sql } from 'kysely';
import { addMinor, type Minor } from '../../domain/money.ts';
import type { Fee } from '../../domain/pricing/fees.ts';
import { downgradeDifference, upgradeDifference } from '../../domain/pricing/upgrade.ts';
import { feesOf } from '../../domain/pricing.ts';
import type { RatePlan } from '../../domain/rate-plan.ts';
import { upgradeTimes } from '../../domain/rental/segment.ts';
import type { Tank, UsedVehicle } from '../../domain/rental/usage.ts';
import type { ExchangeReason, Reading } from '../../domain/rental.ts';
import type { Tx } from '../client.ts';
import type { RentalRow } from '../rental-row.ts';
import type { ratingOf } from './rental-update.ts';

export type Segment = {
  readonly id: string;
  readonly vehicleId: string;
  readonly reason: ExchangeReason | null;
  readonly from: string;
  readonly to: string | null;
  readonly out: Reading;
  /** Null while it is out. */
  readonly back: Reading | null;
  readonly tank: Tank;
  /** The plan of the better class while that is paid for. */
  readonly upgrade: { readonly id: string; readonly version: number } | null;
  readonly upgradeTerms: RatePlan | null;
};

/** In their order; the last one is out while the rental is. For rentals_rw. */
export async function segmentsOf(tx: Tx, rentalId: string): Promise<readonly Segment[]> {
  const { rows } = await sql<Segment>`
    select s.id, s.vehicle_id as "vehicleId", s.reason, s.from_at as "from", s.to_at as "to",
      jsonb_build_object('odometerKm', s.odometer_out_km, 'fuelEighths', s.fuel_out_eighths) as out,
      case when s.to_at is not null then jsonb_build_object('odometerKm', s.odometer_in_km,
        'fuelEighths', s.fuel_in_eighths) end as back,
      vehicles.tank_of(s.vehicle_id) as tank, p.terms as "upgradeTerms",
      case when p.id is not null
        then jsonb_build_object('id', p.id, 'version', p.version) end as upgrade
    from rentals.segment s
    left join rentals.rate_plan p on p.id = s.upgrade_plan_id and p.version = s.upgrade_plan_version
    where s.rental_id = ${rentalId} order by s.from_at, s.to_at`.execute(tx);
  return rows;
}

/** What each was used for; `back` is the reading of the one that is out. */
export function usedVehicles(segments: readonly Segment[], back: Reading): readonly UsedVehicle[] {
  return segments.map((segment, at) => ({
    out: segment.out,
    back: segment.back ?? back,
    tank: segment.tank,
    brokeDown: segments[at + 1]?.reason === 'breakdown',
  }));
}

type Rating = Awaited<ReturnType<typeof ratingOf>>['rating'];

type Classes = Pick<Rating, 'plan' | 'clock' | 'booked' | 'downgrade' | 'pickUpAt'>;

/**
 * What other classes than the booked one cost more, or less, until then, counted anew; empty without
 * one. An upgrade that is paid for begins where a downgrade left the rental.
 */
export function classFees(
  rating: Classes,
  segments: readonly Pick<Segment, 'from' | 'to' | 'upgrade' | 'upgradeTerms'>[],
  until: string,
): readonly Fee[] {
  const { plan, clock, downgrade } = rating;
  const terms = new Map(segments.map((one) => [keyOf(one.upgrade), one.upgradeTerms]));
  const amounts = upgradeTimes(segments, until).flatMap((time): Minor[] => {
    const better = terms.get(keyOf(time.plan));
    return better ? [upgradeDifference(downgrade ?? plan, better, { ...time, clock })] : [];
  });
  const fees: readonly Fee[] = [
    { code: 'fee.upgrade', netMinor: addMinor(...amounts) },
    { code: 'fee.downgrade', netMinor: -downgradeUntil(rating, until) },
  ];
  return fees.filter(({ netMinor }) => netMinor !== 0);
}

/** How much less the lower class costs from pick-up until then; 0 for what was not downgraded. */
export function downgradeUntil(
  { plan, clock, booked, downgrade, pickUpAt: from }: Classes,
  until: string,
): Minor {
  if (downgrade === null) return 0;
  // Keys may come back before the booked pick-up: that costs the minimum of either class.
  const rest = { from, until: Date.parse(until) < Date.parse(from) ? from : until, clock };
  return downgradeDifference(plan, downgrade, rest, booked.chosen);
}

/** The fees that a rental was priced with, and those of its classes until then. */
export function feesUntil(
  rating: Classes,
  segments: readonly Segment[],
  until: string,
): readonly Fee[] {
  const ofClass: readonly string[] = ['fee.upgrade', 'fee.downgrade'];
  const agreed = feesOf(rating.booked).filter(({ code }) => !ofClass.includes(code));
  return [...agreed, ...classFees(rating, segments, until)];
}

function keyOf(plan: Segment['upgrade']): string {
  return plan === null ? '' : `${plan.id}/${plan.version}`;
}

type Exchanged = {
  readonly branchId: string;
  readonly at: string;
  readonly reason: ExchangeReason;
  readonly returned: Reading;
  readonly vehicleId: string;
  readonly taken: Reading;
  readonly upgrade: Segment['upgrade'];
};

/** The one that is out ends, and the next one begins at the same instant. */
export async function exchangeSegment(
  tx: Tx,
  row: Pick<RentalRow, 'id'>,
  old: Segment,
  { branchId, at, reason, returned, vehicleId, taken, upgrade }: Exchanged,
): Promise<void> {
  await sql`update rentals.segment set to_at = ${at}, branch_in = ${branchId},
      odometer_in_km = ${returned.odometerKm}, fuel_in_eighths = ${returned.fuelEighths}
    where id = ${old.id} and to_at is null`.execute(tx);
  await sql`insert into rentals.segment (rental_id, vehicle_id, reason, branch_out, from_at,
      odometer_out_km, fuel_out_eighths, upgrade_plan_id, upgrade_plan_version)
    values (${row.id}, ${vehicleId}, ${reason}, ${branchId}, ${at}, ${taken.odometerKm},
      ${taken.fuelEighths}, ${upgrade?.id ?? null}, ${upgrade?.version ?? null})`.execute(tx);
}
