// How a rental is asked for, beside what it asks for: the channel, what is overridden, a held quote.
import type { Choices } from './pricing.ts';
import type { Channel } from './stop-sell.ts';

/** What is taken beside the vehicle, as a quote takes it; from then on the price remembers it. */
export type BookedChoices = Pick<
  Choices,
  'extras' | 'coverages' | 'drivers' | 'surcharges' | 'rate' | 'promotion' | 'distance'
>;

/** Of anything that has more, only these. */
export function choicesIn(taken: BookedChoices): BookedChoices {
  const { extras, coverages, drivers, surcharges, rate, promotion, distance } = taken;
  return { extras, coverages, drivers, surcharges, rate, promotion, distance };
}

/** The rental itself does not remember them. */
export type BookingTerms = {
  /** Through whom it is sold; left out, at a counter. */
  readonly channel?: Channel | undefined;
  /** What a manager lets pass, for the reason in rentals.booking_override of the same id. */
  readonly override?: BookingOverride | undefined;
  /** A held quote that it accepts. */
  readonly quoteId?: string | undefined;
};
export type BookingOverride = {
  readonly stopSell: boolean;
  /** How many demands beyond the overbooking limit (decisions.md 40). */
  readonly overbook: 0 | 1;
};
