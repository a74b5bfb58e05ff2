// Recalls: which vehicles a notice calls back, and when they must stand (49 USC 30120(i)).
import { DomainError } from './errors.ts';
import type { Severity } from './hold.ts';

/** All that it names must be met. VIN ranges include both ends; make and model in any case. */
export type RecallScope = {
  readonly vinPrefix?: string | undefined;
  readonly vinFrom?: string | undefined;
  readonly vinTo?: string | undefined;
  readonly make?: string | undefined;
  readonly model?: string | undefined;
  readonly yearFrom?: number | undefined;
  readonly yearTo?: number | undefined;
};

/** An authority's or maker's notice, as it was received. */
export type RecallNotice = {
  readonly title: string;
  readonly authorityNumber: string;
  /** ISO 3166 code, or EU. */
  readonly jurisdiction: string;
  readonly noticeReceivedAt: string;
  readonly isSafety: boolean;
  /** Until the remedy comes it may be rented, not sold. */
  readonly hasInterimRemedy: boolean;
  readonly isRemedyAvailable: boolean;
  readonly scopes: readonly RecallScope[];
  /** Elsewhere than in the US, whose law says it. */
  readonly deadlineHours?: number | undefined;
  /** Earlier than the law demands. */
  readonly hardFrom?: string | undefined;
};

/** What becomes known of it later; which vehicles it means stays as it was entered. */
export type RecallChange = {
  /** What repairs a vehicle, for people. */
  readonly remedy?: string | null | undefined;
  readonly isRemedyAvailable?: boolean | undefined;
  readonly deadlineHours?: number | undefined;
  readonly hardFrom?: string | undefined;
};

export type RecallState = {
  readonly recallId: string;
  readonly status: 'noticed' | 'grounded';
  /** How many of the company's vehicles it calls back. */
  readonly vehicles: number;
  readonly deadlineAt: string;
  /** From when they may not be rented; null where they may. */
  readonly hardAt: string | null;
};

export type RecallableVehicle = {
  readonly vin: string | null;
  readonly make: string;
  readonly model: string;
  readonly modelYear: number;
};

const HOUR_MS = 3_600_000;
/** A notice that covers more of the company's vehicles than these leaves twice the time. */
const LARGE_NOTICE = 5_000;
/** A setting of the company, where the jurisdiction's own was not given. */
const HOURS_ELSEWHERE = 24;

/**
 * The instant at which vehicles in possession may no longer be rented: 24 hours after the notice,
 * 48 where it covers more than 5,000 of the company's vehicles (decisions.md 33).
 */
export function deadlineOf(
  notice: Pick<RecallNotice, 'jurisdiction' | 'noticeReceivedAt' | 'deadlineHours'>,
  vehicles: number,
): string {
  const { jurisdiction, noticeReceivedAt, deadlineHours = HOURS_ELSEWHERE } = notice;
  const byLaw = vehicles > LARGE_NOTICE ? 48 : 24;
  const hours = jurisdiction === 'US' ? byLaw : deadlineHours;
  return new Date(Date.parse(noticeReceivedAt) + hours * HOUR_MS).toISOString();
}

/** What a recall's hold is: hard for safety, soft where an interim remedy lets it be rented. */
export function holdOfRecall(notice: Pick<RecallNotice, 'isSafety' | 'hasInterimRemedy'>): {
  readonly severity: Severity;
  readonly barsSale: boolean;
} {
  const isHard = notice.isSafety && !notice.hasInterimRemedy;
  return { severity: isHard ? 'hard' : 'soft', barsSale: notice.isSafety };
}

/** Throws `value-refused` for a notice that cannot be. */
export function checkNotice(notice: RecallNotice, now: string): void {
  const { jurisdiction, noticeReceivedAt, scopes, deadlineHours } = notice;
  if (Date.parse(noticeReceivedAt) > Date.parse(now)) {
    throw new DomainError('value-refused', 'A notice is received before it is entered.');
  }
  checkDeadline(jurisdiction, deadlineHours);
  if (scopes.length === 0 || !scopes.every(namesSomething)) {
    throw new DomainError('value-refused', 'A recall names VINs or a make.');
  }
}

function namesSomething(scope: RecallScope): boolean {
  const { vinPrefix, vinFrom, vinTo, make, model, yearFrom, yearTo } = scope;
  if ((vinFrom === undefined) !== (vinTo === undefined)) return false;
  if (model !== undefined && make === undefined) return false;
  if (yearFrom !== undefined && yearTo !== undefined && yearTo < yearFrom) return false;
  return [vinPrefix, vinFrom, make].some((given) => given !== undefined);
}

/** Whether any of the scopes is met. A vehicle without a VIN meets none that names VINs. */
export function isRecalled(scopes: readonly RecallScope[], vehicle: RecallableVehicle): boolean {
  return scopes.some((scope) => meets(scope, vehicle));
}

function meets(scope: RecallScope, { vin, make, model, modelYear }: RecallableVehicle): boolean {
  const serial = vin === null ? null : withoutCheckDigit(vin);
  if (scope.vinPrefix !== undefined) {
    if (serial?.startsWith(withoutCheckDigit(scope.vinPrefix)) !== true) return false;
  }
  if (scope.vinFrom !== undefined && scope.vinTo !== undefined) {
    if (serial === null) return false;
    if (serial < withoutCheckDigit(scope.vinFrom)) return false;
    if (serial > withoutCheckDigit(scope.vinTo)) return false;
  }
  if (scope.make !== undefined && !isSame(scope.make, make)) return false;
  if (scope.model !== undefined && !isSame(scope.model, model)) return false;
  return modelYear >= (scope.yearFrom ?? 0) && modelYear <= (scope.yearTo ?? 9_999);
}

/** The ninth place follows from the others, so it says nothing about an order. */
function withoutCheckDigit(vin: string): string {
  return vin.slice(0, 8) + vin.slice(9);
}

function isSame(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}

/**
 * The deadline and the instant from which vehicles are blocked after a change; null when neither is
 * another. Without one of its own a block comes at the deadline. Throws `value-refused`.
 */
export function movedTimes(
  known: Pick<RecallNotice, 'jurisdiction' | 'noticeReceivedAt'> & {
    readonly deadlineAt: string;
    readonly hardAt: string;
  },
  { deadlineHours, hardFrom }: RecallChange,
  vehicles: number,
): { readonly deadlineAt: string; readonly hardAt: string } | null {
  checkDeadline(known.jurisdiction, deadlineHours);
  const deadlineAt =
    deadlineHours === undefined
      ? known.deadlineAt
      : deadlineOf({ ...known, deadlineHours }, vehicles);
  const wasItsDeadline = Date.parse(known.hardAt) === Date.parse(known.deadlineAt);
  const hardAt = hardFrom ?? (wasItsDeadline ? deadlineAt : known.hardAt);
  if (Date.parse(hardAt) > Date.parse(deadlineAt)) {
    throw new DomainError('value-refused', 'It has to block by its deadline.', { deadlineAt });
  }
  if (Date.parse(hardAt) < Date.parse(known.noticeReceivedAt)) {
    throw new DomainError('value-refused', 'It blocks from the notice on at the earliest.');
  }
  const isSame = (a: string, b: string) => Date.parse(a) === Date.parse(b);
  const isKept = isSame(deadlineAt, known.deadlineAt) && isSame(hardAt, known.hardAt);
  return isKept ? null : { deadlineAt, hardAt };
}

function checkDeadline(jurisdiction: string, deadlineHours: number | undefined): void {
  if (jurisdiction === 'US' && deadlineHours !== undefined) {
    throw new DomainError('value-refused', 'The law of the US says how many hours there are.');
  }
}
