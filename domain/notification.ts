// Which facts a customer is written to about, and what must still be so when the letter goes out.
import type { ForecourtEvent } from './events.ts';
import type { RentalStatus } from './rental/state.ts';

export const NOTIFICATION_KINDS = [
  'confirmation',
  'request-confirmed',
  'request-declined',
  'reminder',
  'overdue',
  'not-returned',
  'invoice',
  'deposit-released',
  'deposit-expiring',
  'recall',
] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

/** What a customer may decline; the others belong to the contract, or to somebody's safety. */
export const OPTIONAL_KINDS = ['reminder', 'deposit-released'] as const;

export const NOTIFICATION_STATES = [
  'queued',
  'sending',
  'sent',
  'failed',
  'unknown',
  'skipped',
] as const;
/**
 * `sending`: written down before the letter is handed over. `unknown`: it was perhaps sent, and only
 * a person may send it again. `skipped`: there was a reason not to.
 */
export type NotificationState = (typeof NOTIFICATION_STATES)[number];

/** `subjectId` is the rental, the invoice, the hold on the card or the recall. */
export type Notice = {
  readonly factId: string;
  readonly kind: NotificationKind;
  readonly rentalId: string;
  readonly subjectId: string;
  /** Of one kind, rental and occasion there is one letter, however many facts tell of it. */
  readonly occasion: string;
  readonly factAt: string;
};

/** Null for facts that no customer is written to about. */
export function noticeOf(event: ForecourtEvent): Notice | null {
  const told = toldBy(event);
  if (told === null) return null;
  const { id: factId, time: factAt } = event;
  return { factId, factAt, subjectId: told.rentalId, occasion: factId, ...told };
}

type Told = Pick<Notice, 'kind' | 'rentalId'> & Partial<Notice>;

function toldBy(event: ForecourtEvent): Told | null {
  switch (event.type) {
    case 'forecourt.rental.reserved.v1':
    case 'forecourt.rental.amended.v1':
    case 'forecourt.rental.extended.v1':
    case 'forecourt.rental.swapped.v1':
      return { kind: 'confirmation', rentalId: event.data.rentalId };
    case 'forecourt.rental.confirmed.v1':
      return { kind: 'request-confirmed', rentalId: event.data.rentalId };
    case 'forecourt.rental.declined.v1':
    case 'forecourt.rental.expired.v1':
      return { kind: 'request-declined', rentalId: event.data.rentalId };
    case 'forecourt.rental.return-reminder.v1':
      return { kind: 'reminder', rentalId: event.data.rentalId, occasion: event.data.dueAt };
    // Told anew each hour: one letter for one due time.
    case 'forecourt.rental.overdue.v1':
      return { kind: 'overdue', rentalId: event.data.rentalId, occasion: event.data.dueAt };
    case 'forecourt.rental.not-returned.v1': {
      const { rentalId, step, dueAt: occasion } = event.data;
      return step === 'mail' ? { kind: 'not-returned', rentalId, occasion } : null;
    }
    case 'forecourt.invoice.issued.v1': {
      const { rentalId, invoiceId: subjectId } = event.data;
      return rentalId === null ? null : { kind: 'invoice', rentalId, subjectId };
    }
    case 'forecourt.deposit.released.v1':
      return ofHold('deposit-released', event.data);
    case 'forecourt.deposit.renewal-due.v1':
      return ofHold('deposit-expiring', event.data);
    case 'forecourt.recall.renter-notified.v1': {
      const { rentalId, recallId: subjectId } = event.data;
      return event.data.channel === 'mail' ? { kind: 'recall', rentalId, subjectId } : null;
    }
    default:
      return null;
  }
}

/** A hold is released once and cannot be renewed once, whatever else is told of it. */
function ofHold(
  kind: NotificationKind,
  data: { readonly rentalId: string; readonly authorisationId: string },
): Told {
  const { rentalId, authorisationId: subjectId } = data;
  return { kind, rentalId, subjectId, occasion: subjectId };
}

/** What decides whether there is still a reason for the letter. */
export type Standing = {
  readonly status: RentalStatus;
  readonly overdue: boolean;
  /** The notice's, and the due time of now. */
  readonly occasion: string;
  readonly dueAt: string;
  /** Of the hold that it is about; null for other letters. */
  readonly holdState: string | null;
  readonly isHoldReplaced: boolean;
  /** Whether the renter still has the vehicle that is recalled. */
  readonly hasRecalled: boolean;
};

const TO_COME: readonly RentalStatus[] = ['reserved', 'active'];

/** A letter that has waited must not say what is not so any more. */
export function isStillTrue(kind: NotificationKind, now: Standing): boolean {
  switch (kind) {
    case 'confirmation':
    case 'request-confirmed':
      return TO_COME.includes(now.status);
    case 'request-declined':
      return now.status === 'declined' || now.status === 'expired';
    case 'reminder':
      return now.status === 'active' && isOfThisDueTime(now);
    case 'overdue':
    case 'not-returned':
      return now.overdue && isOfThisDueTime(now);
    case 'invoice':
      return true;
    // Behind a replaced hold stands another: nothing was given back, nothing is missing.
    case 'deposit-released':
      return now.holdState === 'released' && !now.isHoldReplaced;
    case 'deposit-expiring':
      return now.holdState === 'open' && !now.isHoldReplaced;
    case 'recall':
      return now.hasRecalled;
    default:
      return kind satisfies never;
  }
}

/** Extended meanwhile, a rental is told of its new due time by a letter of its own. */
function isOfThisDueTime({ occasion, dueAt }: Standing): boolean {
  return Date.parse(occasion) === Date.parse(dueAt);
}

export const SKIP_REASONS = [
  'erased',
  'no-address',
  'opted-out',
  'too-late',
  'not-true-any-more',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

const DAY_MS = 24 * 60 * 60 * 1000;

/** What somebody has to have, whenever it comes. */
const NEVER_TOO_LATE: readonly NotificationKind[] = ['invoice', 'recall'];

/** Consumers that begin anew read a week of facts: most are not worth telling of that late. */
export function isTooLate(kind: NotificationKind, factAt: string, now: string): boolean {
  return !NEVER_TOO_LATE.includes(kind) && Date.parse(now) - Date.parse(factAt) > DAY_MS;
}

const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 60 * 60 * 1000;
const TRIES = 12;

/**
 * How long to wait after that many tries that a mail server refused for now: doubling from a minute
 * to an hour. Null: given up, after some seven hours.
 */
export function pauseAfter(tries: number): number | null {
  if (tries >= TRIES) return null;
  return Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
}
