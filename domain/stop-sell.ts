// Stop-sell rules: what is not sold on which dates, to whom, and the refusal that follows.
import { DomainError } from './errors.ts';

/** Through whom a rental is sold. */
export const CHANNELS = ['counter', 'online', 'corporate', 'partner'] as const;
export type Channel = (typeof CHANNELS)[number];

/** What may not fall on a rule's dates: the pick-up, any part of the rental, or the return. */
export const STOP_KINDS = ['arrival', 'stay', 'departure'] as const;
export type StopKind = (typeof STOP_KINDS)[number];

/** A rule that a booking meets; `from` and `to` are local dates of the branch, both included. */
export type Stop = {
  readonly id: string;
  readonly kind: StopKind;
  readonly from: string;
  readonly to: string;
};

const WORDS = {
  arrival: 'No pick-up is sold',
  stay: 'No rental is sold',
  departure: 'No return is sold',
} as const satisfies Readonly<Record<StopKind, string>>;

/** Throws `stop-sell`, which names the first rule, unless somebody who may has overridden them. */
export function checkStops(stops: readonly Stop[], isOverridden: boolean): void {
  const [first] = stops;
  if (first === undefined || isOverridden) return;
  throw new DomainError(
    'stop-sell',
    `${WORDS[first.kind]} from ${first.from} to ${first.to}; a manager may override it.`,
    { stopSellId: first.id, kind: first.kind, from: first.from, to: first.to },
  );
}
