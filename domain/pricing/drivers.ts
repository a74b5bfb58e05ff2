// Ages of drivers as a price knows them: by the plan's age bands, never by the age itself.
import type { RatePlan } from '../rate-plan.ts';
import type { Drivers } from './request.ts';

/** `ages` in whole years at pick-up, the renter's first; a birthday later changes nothing. */
export function driversOf(ages: readonly number[], { ageBands = [] }: RatePlan): Drivers {
  const bands = ages.flatMap((age) => {
    const band = ageBands.find(({ fromAge, toAge }) => fromAge <= age && age <= toAge);
    return band === undefined ? [] : [band.code];
  });
  return { bands, additional: Math.max(0, ages.length - 1) };
}
