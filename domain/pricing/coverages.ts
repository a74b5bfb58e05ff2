// Coverages, extras and drivers: a started day is a whole one, with neither grace nor hours.
import type { Duration } from './duration.ts';
import { capped, lineOf, type PriceLine } from './line.ts';
import { chosen, type QuoteRequest, refused } from './request.ts';

/** CDW, LDW, excess reductions; `basis.excessMinor` is what the renter still bears. */
export function coverageLines(
  { plan, coverages = [] }: QuoteRequest,
  { extrasDays }: Duration,
): readonly PriceLine[] {
  return coverages.map((code) => {
    const coverage = chosen(plan.coverages, code, 'coverages');
    const { needs, excludes = [], excessMinor, dailyMinor, maxMinor } = coverage;
    if (needs !== undefined && !needs.some((other) => coverages.includes(other))) {
      throw refused('coverages', `${code} needs one of ${needs.join(', ')} beside it.`, code);
    }
    const other = coverages.find((taken) => excludes.includes(taken));
    if (other !== undefined) {
      throw refused('coverages', `${code} and ${other} are not taken together.`, code);
    }
    const priced = { quantity: extrasDays, unit: 'day', unitMinor: dailyMinor } as const;
    const basis = { extrasDays, excessMinor };
    return capped(lineOf(plan, { code: `coverage.${code}`, ...priced, basis }, coverage), maxMinor);
  });
}

/** Daily and fixed ones; percentages come when their base is known. */
export function extraLines(
  { plan, extras = [] }: QuoteRequest,
  { extrasDays }: Duration,
): readonly PriceLine[] {
  return extras.flatMap(({ code: item, count }) => {
    const extra = chosen(plan.extras, item, 'extras');
    const code = `extra.${item}` as const;
    if (extra.kind === 'percentage') return [];
    if (extra.kind === 'fixed') {
      const priced = { quantity: count, unit: 'item', unitMinor: extra.priceMinor } as const;
      return [lineOf(plan, { code, ...priced, basis: { count } }, extra)];
    }
    const { dailyMinor, maxMinor } = extra;
    const priced = { quantity: count * extrasDays, unit: 'day', unitMinor: dailyMinor } as const;
    const line = lineOf(plan, { code, ...priced, basis: { count, extrasDays } }, extra);
    return [capped(line, maxMinor === undefined ? undefined : count * maxMinor)];
  });
}

/** A fee for each driver in an age band, one for each additional driver that is not free. */
export function driverLines(
  { plan, drivers = { bands: [], additional: 0 } }: QuoteRequest,
  { extrasDays }: Duration,
): readonly PriceLine[] {
  const { ageBands = [], additionalDriver } = plan;
  for (const code of drivers.bands) chosen(ageBands, code, 'drivers');
  const byAge = ageBands.flatMap((band) => {
    const count = drivers.bands.filter((code) => code === band.code).length;
    if (count === 0) return [];
    const days = Math.min(extrasDays, band.maxDays ?? extrasDays);
    const priced = { quantity: count * days, unit: 'day', unitMinor: band.dailyMinor } as const;
    const basis = { drivers: count, extrasDays, chargedDays: days };
    return [lineOf(plan, { code: `driver.${band.code}`, ...priced, basis }, band)];
  });
  const count = Math.max(0, drivers.additional - (additionalDriver?.free ?? 0));
  if (count === 0 || additionalDriver === undefined) return byAge;
  const { dailyMinor, maxDays = extrasDays } = additionalDriver;
  const days = Math.min(extrasDays, maxDays);
  const priced = { quantity: count * days, unit: 'day', unitMinor: dailyMinor } as const;
  const basis = { drivers: count, extrasDays, chargedDays: days };
  const line = lineOf(plan, { code: 'driver.additional', ...priced, basis }, additionalDriver);
  return [...byAge, line];
}
