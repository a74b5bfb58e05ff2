// Sends what is queued: at most once a fact, whatever dies in between.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../db/client.ts';
import {
  giveUpLost,
  type NotificationRow,
  type Settled,
  settleNotification,
  takeNotification,
} from '../db/commands/notifications.ts';
import { type LetterData, letterData } from '../db/queries/notifications.ts';
import { isStillTrue, isTooLate, pauseAfter, type SkipReason } from '../domain/notification.ts';
import { writtenLetter } from './letter.ts';
import { type Letter, LetterNotSent, type Mail } from './mail.ts';

export type SenderObserver = {
  /** Without the letter: kind, state and, where it was not sent, why. */
  readonly settled: (kind: string, state: string, reason: string | null, id: string) => void;
  readonly trouble: (error: unknown) => void;
};

export type SenderDeps = {
  readonly db: Db;
  readonly mail: Mail;
  /** The host of the letters' Message-IDs. */
  readonly host: string;
  readonly observer: SenderObserver;
};

/** Letters on their way at once. */
const LANES = 4;
const POLL_MS = 1_000;
const PAUSE_MS = 5_000;
/** A letter that nobody answers is given up before its row is. */
const LETTER_MS = 60_000;
export const LEASE_MS = 5 * LETTER_MS;

/** Runs until stopped, which waits for the letters that are on their way. */
export function startSender(deps: SenderDeps): { readonly stop: () => Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const wait = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
  const lane = async () => {
    while (!signal.aborted) {
      try {
        if (!(await sendNext(deps)) && !signal.aborted) await wait(POLL_MS);
      } catch (error) {
        deps.observer.trouble(error);
        await wait(PAUSE_MS);
      }
    }
  };
  const lanes = Array.from({ length: LANES }, lane);
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(lanes);
    },
  };
}

/** Sends one letter. False when there was none to send; then the lost ones are given up. */
export async function sendNext(deps: SenderDeps, leaseMs = LEASE_MS): Promise<boolean> {
  const { db, observer } = deps;
  const row = await takeNotification(db);
  if (row === undefined) {
    for (const { kind, state, reason, id } of await giveUpLost(db, leaseMs)) {
      observer.settled(kind, state, reason, id);
    }
    return false;
  }
  const settled = await sent(deps, row).catch(async (error) => {
    // Nothing has left the process. Where even this is not stored, the row waits for its lease.
    await settleNotification(db, row, { state: 'queued', reason: 'unread', pauseMs: PAUSE_MS });
    throw error;
  });
  await settleNotification(db, row, settled);
  observer.settled(row.kind, settled.state, settled.reason, row.id);
  return true;
}

/** Throws when the database cannot be read, and then nothing has left the process. */
async function sent(deps: SenderDeps, row: NotificationRow): Promise<Settled> {
  const data = await letterData(deps.db, row);
  const reason = reasonAgainst(row, data);
  if (reason !== null || data === undefined || data.email === null) {
    return { state: 'skipped', reason };
  }
  let letter: Letter;
  try {
    const messageId = `<${row.id}.${row.resends}@${deps.host}>`;
    letter = { ...writtenLetter(row.kind, data.language, data), to: data.email, messageId };
  } catch {
    // A figure is missing: no later try will find it.
    return { state: 'failed', reason: 'unwritable' };
  }
  return handedOver(deps.mail, letter, row.tries);
}

/** Why no letter is written, if so. A person who sends it again has seen how late it is. */
function reasonAgainst(row: NotificationRow, data: LetterData | undefined): SkipReason | null {
  const { kind, fact_at: factAt, resends } = row;
  if (data === undefined || data.isErased) return 'erased';
  if (data.email === null) return 'no-address';
  if (data.optOuts.includes(kind)) return 'opted-out';
  const now = new Date().toISOString();
  if (resends === 0 && isTooLate(kind, factAt, now)) return 'too-late';
  return isStillTrue(kind, { ...data, occasion: row.occasion }) ? null : 'not-true-any-more';
}

async function handedOver(mail: Mail, letter: Letter, tries: number): Promise<Settled> {
  try {
    await inTime(mail.send(letter));
    return { state: 'sent', reason: null };
  } catch (error) {
    if (!(error instanceof LetterNotSent)) return { state: 'unknown', reason: 'unexpected' };
    const reason = [error.code, error.responseCode].filter((part) => part !== null).join(' ');
    if (error.outcome === 'unknown') return { state: 'unknown', reason };
    const pauseMs = error.outcome === 'temporary' ? pauseAfter(tries) : null;
    return pauseMs === null ? { state: 'failed', reason } : { state: 'queued', reason, pauseMs };
  }
}

/** Whatever hangs: a letter may then have arrived, which only its reader knows. */
async function inTime(work: Promise<void>): Promise<void> {
  const timer = new AbortController();
  const late = sleep(LETTER_MS, undefined, { signal: timer.signal }).then(() => {
    throw new LetterNotSent('ETIMEDOUT', null, 'unknown');
  });
  late.catch(() => undefined);
  try {
    await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}
