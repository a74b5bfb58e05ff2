// Whether a driver may drive a rental: licence, age and experience, by calendar dates (decisions.md 31).
import { DomainError } from './errors.ts';

/** Calendar dates are yyyy-mm-dd; what nobody entered is null. */
export type DriverFacts = {
  readonly hasLicence: boolean;
  readonly licenceClasses: readonly string[] | null;
  readonly issuedOn: string | null;
  readonly validUntil: string | null;
  /** In whole years at pick-up; null when no birth date is known. */
  readonly ageAtPickUp: number | null;
};

/** What a class of vehicles asks of who drives it. */
export type DriverRule = {
  readonly minAge: number;
  readonly maxAge: number | null;
  /** Younger ones may drive, and are marked. */
  readonly youngBelowAge: number;
  readonly minHeldMonths: number;
  readonly licenceClass: string;
};

/** The dates that clocks show where it begins and ends. */
export type DrivingTerm = { readonly pickUpOn: string; readonly dueOn: string };

export type DriverReason =
  | 'no-licence'
  | 'licence-class'
  | 'licence-ends'
  | 'licence-too-new'
  | 'too-young'
  | 'too-old'
  | 'judged-for-another-time';

export type DriverVerdict = {
  readonly eligible: boolean;
  readonly reasons: readonly DriverReason[];
  /** Young at pick-up; a birthday later changes nothing. */
  readonly young: boolean;
};

/**
 * Age and experience count at the pick-up's date, the licence must be valid on the due date too. A
 * date that was not entered cannot be relied on: without the end or the beginning of a licence, or
 * the birth date, the licence does not count as shown.
 */
export function judgeDriver(
  facts: DriverFacts,
  rule: DriverRule,
  { pickUpOn, dueOn }: DrivingTerm,
): DriverVerdict {
  const { licenceClasses, issuedOn, validUntil, ageAtPickUp: age } = facts;
  const reasons: DriverReason[] = [];
  if (!facts.hasLicence || issuedOn === null || validUntil === null || age === null) {
    reasons.push('no-licence');
  }
  if (facts.hasLicence && !licenceClasses?.includes(rule.licenceClass)) {
    reasons.push('licence-class');
  }
  if (validUntil !== null && validUntil < dueOn) reasons.push('licence-ends');
  if (issuedOn !== null && completeMonths(issuedOn, pickUpOn) < rule.minHeldMonths) {
    reasons.push('licence-too-new');
  }
  if (age !== null && age < rule.minAge) reasons.push('too-young');
  if (age !== null && rule.maxAge !== null && age > rule.maxAge) reasons.push('too-old');
  const young = age !== null && age < rule.youngBelowAge;
  return { eligible: reasons.length === 0, reasons, young };
}

/** In whole years. Who was born on 29 February is a year older on 1 March of a common year. */
export function ageOn(birthDate: string, date: string): number {
  return Math.floor(completeMonths(birthDate, date) / 12);
}

/**
 * Months that are over: one ends on the day of the same number, or, where a month has no such day,
 * on the first of the next. Never early, so nobody drives a day too soon.
 */
export function completeMonths(from: string, to: string): number {
  const [fromYear = 0, fromMonth = 0, fromDay = 0] = from.split('-').map(Number);
  const [toYear = 0, toMonth = 0, toDay = 0] = to.split('-').map(Number);
  return (toYear - fromYear) * 12 + (toMonth - fromMonth) - (toDay < fromDay ? 1 : 0);
}

export type JudgedDriver = {
  readonly customerId: string;
  readonly verdict: DriverVerdict;
  /** A manager lets them drive all the same. */
  readonly overridden: boolean;
};

/** Throws `driver-ineligible` with each driver's reasons, unless a manager lets them drive. */
export function checkDrivers(drivers: readonly JudgedDriver[]): void {
  const refused = drivers.filter(({ verdict, overridden }) => !verdict.eligible && !overridden);
  if (refused.length === 0) return;
  throw new DomainError('driver-ineligible', 'A driver may not drive this rental.', {
    drivers: refused.flatMap(({ customerId, verdict }) =>
      verdict.reasons.map((reason) => ({ customerId, reason })),
    ),
  });
}
