// What tests of notifications share: facts, the consumer, a mail server and a sender.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { transact } from '../../db/client.ts';
import { type NotificationRow, queueNotices } from '../../db/commands/notifications.ts';
import type { NotificationKind } from '../../domain/notification.ts';
import type { RentalState } from '../../domain/rental.ts';
import { parseEvent } from '../../events/contracts.ts';
import { notifications } from '../../events/notifications.ts';
import type { Mail } from '../../notifications/mail.ts';
import { sendNext } from '../../notifications/sender.ts';
import { smtpMail } from '../../notifications/smtp.ts';
import type { TestDatabase } from './database.ts';
import { whenDone } from './endings.ts';
import { PERSON } from './fleet.ts';
import { mailServer } from './mail-server.ts';
import type { RentalDesk } from './rental-desk.ts';

export type LetterDesk = {
  /** How the mail server answers. */
  readonly mood: { refuse: boolean | number; onLetter: () => boolean | undefined };
  readonly smtpUrl: string;
  /** What the sender told of each letter. */
  readonly told: string[];
  /** All that is due, by the mail server unless given; a taken one is lost after `leaseMs`. */
  readonly send: (mail?: Mail, leaseMs?: number) => Promise<void>;
  /** What the database published so far, read by the consumer as if it were new. */
  readonly consume: () => Promise<void>;
  /** A fact about a subject of the rental's. */
  readonly queue: (rental: RentalState, kind: NotificationKind, subjectId: string) => Promise<void>;
  /** The sender as a process of its own, and the signal that ends it. */
  readonly startSender: () => { readonly child: ChildProcess; readonly died: Promise<unknown> };
  readonly rowOf: (rental: RentalState, kind?: string) => Promise<NotificationRow | undefined>;
  /** State and reason. */
  readonly stateOf: (rental: RentalState, kind?: string) => Promise<readonly unknown[]>;
  /** Letters that name it, without the folds of long lines. */
  readonly lettersOn: (rental: RentalState) => readonly string[];
  /** A confirmation that waits to be sent; whatever else waited is out of the way. */
  readonly queued: () => Promise<RentalState>;
  /** As if the pause before its next try were over. */
  readonly due: (rental: RentalState) => Promise<void>;
  /** Server and customer as they were in the beginning. */
  readonly restore: () => Promise<void>;
};

export const FROM = 'desk@rental.example';

/** What keeps the one that is queued from going out, by the reason that is written down. */
export const AGAINST_A_LETTER = {
  erased: sql`update rentals.customer set contacts_erased_at = now(), email = null`,
  'no-address': sql`update rentals.customer set email = null`,
  'not-true-any-more': sql`update rentals.rental set status = 'cancelled', version = version + 1
    where id = (select rental_id from rentals.notification where state = 'queued')`,
  'too-late': sql`update rentals.notification set fact_at = now() - interval '25 hours',
    version = version + 1 where state = 'queued'`,
};

/** Call it in `beforeAll`. */
export async function letterDesk(
  { db, owner, url }: TestDatabase,
  { reserved }: RentalDesk,
): Promise<LetterDesk> {
  const mood: LetterDesk['mood'] = { refuse: false, onLetter: () => undefined };
  const server = await mailServer({
    refuse: () => mood.refuse,
    onLetter: () => mood.onLetter(),
  });
  // Nobody vouches for its certificate.
  const smtpUrl = `smtp://${server.at}?tls.rejectUnauthorized=false`;
  const told: string[] = [];
  const observer = {
    settled: (...said: readonly (string | null)[]) => void told.push(said.join(' ')),
    trouble: () => undefined,
  };
  const send: LetterDesk['send'] = async (mail = smtpMail(smtpUrl, FROM), leaseMs) => {
    while (await sendNext({ db, mail, host: 'rental.example', observer }, leaseMs));
  };
  const asConsumer = (work: Parameters<typeof transact<void>>[3]) =>
    transact(db, 'events_rw', 'system:notifications', work);
  const consume = async () => {
    const { rows } = await sql<{ event: string }>`select event::text as event
      from events.outbox order by id`.execute(owner);
    const events = rows.map(({ event }) => parseEvent(event));
    await asConsumer((tx) => notifications.handle(tx, events));
  };
  const rowOf: LetterDesk['rowOf'] = async ({ id }, kind = 'confirmation') => {
    const { rows } = await sql<NotificationRow>`select * from rentals.notification
      where rental_id = ${id} and kind = ${kind}`.execute(owner);
    return rows[0];
  };
  return {
    mood,
    smtpUrl,
    told,
    send,
    consume,
    rowOf,
    queue: ({ id: rentalId }, kind, subjectId) => {
      const fact = { factId: uuidv7(), factAt: new Date().toISOString(), occasion: subjectId };
      return asConsumer((tx) => queueNotices(tx, [{ ...fact, kind, rentalId, subjectId }]));
    },
    startSender: () => {
      const env = { ...process.env, DATABASE_URL: url, SMTP_URL: smtpUrl };
      const files = ['end-with-parent.ts', 'notification-sender.ts'];
      const [parent = '', entry = ''] = files.map((file) =>
        fileURLToPath(new URL(file, import.meta.url)),
      );
      const child = spawn(process.execPath, ['--import', parent, entry], { env, stdio: 'ignore' });
      whenDone(() => child.kill('SIGKILL'));
      const died = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
      return { child, died };
    },
    stateOf: async (rental, kind) => {
      const row = await rowOf(rental, kind);
      return [row?.state, row?.reason];
    },
    lettersOn: ({ number }) => {
      const texts = server.received.map(({ text }) => text.replaceAll('=\r\n', ''));
      return texts.filter((text) => new RegExp(`${number}\\b`).test(text));
    },
    queued: async () => {
      await consume();
      await send();
      const rental = await reserved();
      await consume();
      return rental;
    },
    due: async ({ id }) => {
      await sql`update rentals.notification set next_at = now(), version = version + 1
        where rental_id = ${id}`.execute(owner);
    },
    restore: async () => {
      Object.assign(mood, { refuse: false, onLetter: () => undefined });
      await owner.transaction().execute(async (tx) => {
        // Who is erased stays so, says a trigger.
        await sql`set local session_replication_role = replica`.execute(tx);
        await sql`update rentals.customer set email = ${PERSON.email}, language = 'en',
          opt_outs = '{}', contacts_erased_at = null`.execute(tx);
      });
    },
  };
}
