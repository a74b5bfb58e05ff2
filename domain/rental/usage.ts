// What a rental used of its vehicle, from the readings at both handovers, in the units of its plan.
import type { QuoteRequest } from '../pricing.ts';
import type { RatePlan } from '../rate-plan.ts';
import type { Reading } from './state.ts';

/** What the register says of the vehicle; null where it says nothing. */
export type Tank = {
  readonly energy: string | null;
  readonly tankLitres: number | null;
  readonly batteryKwh: number | null;
};

const METRES_A_MILE = 1_609.344;
const METRES_A_KM = 1_000;

/**
 * Distance in whole units of the plan, of this rental only (rule 27), and both gauge readings, which
 * are eighths of the same gauge (decisions.md 32). A battery is charged where the plan has a price
 * for it: nobody is kept from coming back for want of one.
 */
export function usageOf(
  plan: Pick<RatePlan, 'mileage' | 'fuel'>,
  out: Reading,
  back: Reading,
  vehicle: Tank,
): Pick<QuoteRequest, 'distance' | 'fuel'> {
  const km = back.odometerKm - out.odometerKm;
  const isMiles = plan.mileage?.unit === 'mi';
  const distance = isMiles ? Math.floor((km * METRES_A_KM) / METRES_A_MILE) : km;
  const kind = vehicle.energy === 'electric' ? ('battery' as const) : ('tank' as const);
  if (kind === 'battery' && plan.fuel?.kWhMinor === undefined) return { distance };
  const capacity = capacityOf(plan, kind, vehicle);
  const levels = { out: out.fuelEighths, back: back.fuelEighths, scale: 8 };
  return { distance, fuel: { kind, ...levels, ...(capacity !== undefined && { capacity }) } };
}

/** Whole units, in the renter's favour. Where the plan counts gallons, its own tank stands. */
function capacityOf(
  { fuel }: Pick<RatePlan, 'fuel'>,
  kind: 'tank' | 'battery',
  { tankLitres, batteryKwh }: Tank,
): number | undefined {
  if (kind === 'battery') return batteryKwh === null ? undefined : Math.floor(batteryKwh);
  return tankLitres !== null && fuel?.unit === 'l' ? tankLitres : undefined;
}

/** One vehicle of a rental, from its keys out to its keys back. */
export type UsedVehicle = {
  readonly out: Reading;
  readonly back: Reading;
  readonly tank: Tank;
  /** What broke down costs no fuel (decisions.md 30). */
  readonly brokeDown: boolean;
};

/**
 * The same of a rental with several vehicles: their distances are one, rounded once; fuel is that of
 * each of them.
 */
export function usageOfAll(
  plan: Pick<RatePlan, 'mileage' | 'fuel'>,
  vehicles: readonly UsedVehicle[],
): Pick<QuoteRequest, 'distance' | 'fuel'> {
  const [first, ...others] = vehicles;
  if (first === undefined) throw new RangeError('A rental without a vehicle used nothing.');
  const { out, back, tank, brokeDown } = first;
  if (others.length === 0 && !brokeDown) return usageOf(plan, out, back, tank);
  const km = vehicles.reduce((sum, one) => sum + one.back.odometerKm - one.out.odometerKm, 0);
  const whole = { odometerKm: out.odometerKm + km, fuelEighths: out.fuelEighths };
  const { distance } = usageOf(plan, out, whole, tank);
  const fuel = vehicles.flatMap((one, at) => {
    const use = one.brokeDown ? undefined : usageOf(plan, one.out, one.back, one.tank).fuel;
    return use === undefined || !('kind' in use) ? [] : [{ ...use, segment: at + 1 }];
  });
  return { distance, fuel };
}
