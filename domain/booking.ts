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

/** A partner pays what it covers, by an agreed rate, and the renter the rest (decisions.md 43). */
export type VoucherTerms = {
  /** Of the customer who is invoiced. */
  readonly payerId: string;
  /** A negotiated rate of the plan: what is covered is invoiced by it, and nobody else sees it. */
  readonly rate: string;
  /** Codes of lines, or their first part, that are paid whole: `time`. */
  readonly covers: readonly string[];
  /** What the partner reckons with: another amount is refused. */
  readonly netMinor?: number | undefined;
};

/** The rental itself does not remember them. */
export type BookingTerms = {
  /** Through whom it is sold; left out, at a counter. */
  readonly channel?: Channel | undefined;
  /** What a manager lets pass, for the reason in rentals.booking_override of the same id. */
  readonly override?: BookingOverride | undefined;
  /** A held quote that it accepts. */
  readonly quoteId?: string | undefined;
  /** Of a partner that pays a part of it. */
  readonly voucher?: VoucherTerms | undefined;
  /** Who earns a commission on it, at the terms of the day on which it is booked. */
  readonly agentId?: string | undefined;
};
export type BookingOverride = {
  readonly stopSell: boolean;
  /** How many demands beyond the overbooking limit (decisions.md 40). */
  readonly overbook: 0 | 1;
};
