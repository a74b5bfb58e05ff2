// What a rental used of its vehicle, worked out by hand: distance and fuel on top of the time.
import { describe, expect, test } from 'vitest';
import { finalQuote, type QuoteRequest, quote } from '../../domain/pricing.ts';
import { GOLD_1, type RatePlan, validateRatePlan } from '../../domain/rate-plan.ts';
import { type Tank, usageOf } from '../../domain/rental/usage.ts';

/** Monday 2027-03-01 10:00 in Vienna. */
const PICK_UP = '2027-03-01T09:00:00.000Z';
const DAY = 1_440;

function later(minutes: number): string {
  return new Date(Date.parse(PICK_UP) + minutes * 60_000).toISOString();
}

describe('what was used', () => {
  const out = { odometerKm: 10_000, fuelEighths: 8 };
  const unknown = { energy: null, tankLitres: null, batteryKwh: null };
  const diesel = { energy: 'diesel', tankLitres: 60, batteryKwh: null };
  const electric = { energy: 'electric', tankLitres: null, batteryKwh: 58.5 };
  const gold = (terms: Partial<RatePlan>): RatePlan => validateRatePlan({ ...GOLD_1, ...terms });
  const fuel = { policy: 'same', unit: 'l', unitMinor: 2_10, tank: 48, kWhMinor: 60 } as const;
  const service = gold({ fuel: { ...fuel, serviceMinor: 10_00 } });
  const miles = gold({
    mileage: { kind: 'daily', unit: 'mi', included: 100, overMinor: 40, pooled: true },
  });

  /** Booked for three days; back at `minutes` with that many km more and that gauge. */
  function used(
    plan: RatePlan,
    { minutes = 3 * DAY, km = 0, gauge = 8, tank = unknown, ...more }: Used,
  ) {
    const request = { plan, pickUpAt: PICK_UP, branchId: 'VIE', ...more };
    const booked = quote({ ...request, returnAt: later(3 * DAY) });
    const back = { odometerKm: out.odometerKm + km, fuelEighths: gauge };
    const times = { returnAt: later(minutes), dueAt: later(3 * DAY) };
    const { distance: _estimated, ...terms } = request;
    return finalQuote({ ...terms, ...usageOf(plan, out, back, tank), ...times, booked });
  }
  type Used = Partial<QuoteRequest> & {
    readonly minutes?: number;
    readonly km?: number;
    readonly gauge?: number;
    readonly tank?: Tank;
  };

  test.each([
    // 150 + 112 × 0.25: S18; the booked price caps the time, not the distance
    ['U1: 712 km, on time', GOLD_1, { km: 712 }, 178_00],
    ['U2: the whole pool', GOLD_1, { km: 600 }, 150_00],
    // A(2) = 100; 2 × 200 km: 312 × 0.25 = 78.00
    ['U3: 712 km, a day early', GOLD_1, { km: 712, minutes: 2 * DAY }, 178_00],
    // A(4) = 200, but 4 × 200 km
    ['U4: 712 km, a day late', GOLD_1, { km: 712, minutes: 4 * DAY }, 200_00],
    // estimated 712 km (28.00), driven 640: 10.00
    ['U5: fewer km than was estimated', GOLD_1, { km: 640, distance: 712 }, 160_00],
    // 3 × 12.60 = 37.80
    ['U6: three eighths of the plan’s tank', GOLD_1, { gauge: 5 }, 187_80],
    // 60 l / 8 = 7.5 l × 2.10 = 15.75
    ['U7: an eighth of its own tank', GOLD_1, { gauge: 7, tank: diesel }, 165_75],
    ['U8: an eighth and the service fee', service, { gauge: 7 }, 172_60],
    ['U9: nothing missing, no service fee', service, { gauge: 8 }, 150_00],
    // 3/8 = 37.5 % → 7 steps of 5 %; 58 kWh × 0.60 = 34.80, × 7/20 = 12.18
    ['U10: three eighths of a battery', gold({ fuel }), { gauge: 5, tank: electric }, 162_18],
    ['U11: a battery that the plan has no price for', GOLD_1, { gauge: 5, tank: electric }, 150_00],
    // 600 km = 372.8 mi → 372 − 300 = 72 × 0.40 = 28.80
    ['U12: km counted as miles', miles, { km: 600 }, 178_80],
    // 178 + LF 11.11 % × 178 = 19.7758 → 19.78
    ['U13: a fee on time and distance', GOLD_1, { km: 712, surcharges: ['lf'] }, 197_78],
    // 48 × 2.10 = 100.80, once
    [
      'U14: a prepaid tank comes back empty',
      gold({ fuel: { ...fuel, policy: 'prepaid' } }),
      { gauge: 0 },
      250_80,
    ],
    // kept: 150 + 312 × 0.25
    [
      'U15: kept prices, a day early',
      gold({ earlyReturn: 'keep' }),
      { km: 712, minutes: 2 * DAY },
      228_00,
    ],
  ] as const)('%s', (_name, plan, use, netMinor) => {
    expect(used(plan, use).netMinor).toBe(netMinor);
  });
});
