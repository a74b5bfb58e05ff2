// Bookings without a vehicle shortly before pick-up: the ladder of help, and what each step needs.
import { DomainError } from './errors.ts';
import type { Minor } from './money.ts';

/** In the order in which they are tried (decisions.md 1); `waited` is no step up: the renter waits. */
export const SHORTAGE_STEPS = ['upgrade', 'transfer', 'sub_rental', 'walk', 'waited'] as const;
export type ShortageStep = (typeof SHORTAGE_STEPS)[number];

/** What a person decided. Costs are the company's, net. */
export type Resolution = {
  readonly step: ShortageStep;
  /** Of an upgrade: the class that is given instead, at the price that was booked. */
  readonly classId?: string | undefined;
  readonly vehicleId?: string | undefined;
  readonly costMinor?: Minor | undefined;
  readonly currency?: string | undefined;
  readonly reason?: string | undefined;
};

/** Throws `value-refused`, which names the field that the step needs. */
export function checkResolution(resolution: Resolution): Resolution {
  const { step, classId, costMinor, currency, reason } = resolution;
  if ((step === 'upgrade') !== (classId !== undefined)) throw lacks('classId', 'an upgrade');
  if ((costMinor === undefined) !== (currency === undefined)) throw lacks('currency', 'a cost');
  if (step === 'walk' && costMinor === undefined) throw lacks('costMinor', 'a walk');
  if (step === 'walk' && reason === undefined) throw lacks('reason', 'a walk');
  return resolution;
}

function lacks(field: string, what: string): DomainError {
  return new DomainError('value-refused', `${field} belongs to ${what}, and it needs one.`, {
    field,
  });
}
