// Notifications: queued by facts, taken by senders one at a time, sent again by a person.
import { type Selectable, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Notice, NotificationKind, NotificationState } from '../../domain/notification.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { RentalsNotification } from '../schema.ts';
import { recordAudit } from './audit.ts';
import type { CustomerRow } from './customers.ts';
import { updateVersion } from './master-data.ts';

export type NotificationRow = Omit<Selectable<RentalsNotification>, 'kind' | 'state'> & {
  readonly kind: NotificationKind;
  readonly state: NotificationState;
};

const SENDER = 'system:notifications';

/** Each fact once; call it in the transaction of the consumer's inbox. */
export async function queueNotices(tx: Tx, notices: readonly Notice[]): Promise<void> {
  if (notices.length === 0) return;
  await sql`select rentals.queue_notifications(${JSON.stringify(notices)}::jsonb)`.execute(tx);
}

/**
 * The one that has waited longest, now in state `sending`, which is durable when this answers; the
 * caller settles it. Undefined while none is due.
 */
export function takeNotification(db: Db): Promise<NotificationRow | undefined> {
  return transact(db, 'rentals_rw', SENDER, async (tx) => {
    const { rows } = await sql<NotificationRow>`update rentals.notification
      set state = 'sending', sending_at = now(), tries = tries + 1, reason = null,
        version = version + 1
      where id = (select id from rentals.notification
        where state = 'queued' and next_at <= now()
        order by next_at, id limit 1 for update skip locked)
      returning *`.execute(tx);
    return rows[0];
  });
}

export type Settled = {
  readonly state: Exclude<NotificationState, 'sending'>;
  readonly reason: string | null;
  /** Before it is tried again. */
  readonly pauseMs?: number;
};

/** Writes down what became of a letter, unless somebody has given it up meanwhile. */
export async function settleNotification(
  db: Db,
  { id, version }: NotificationRow,
  { state, reason, pauseMs = 0 }: Settled,
): Promise<void> {
  await transact(db, 'rentals_rw', SENDER, async (tx) => {
    await sql`update rentals.notification set state = ${state}, reason = ${reason},
        next_at = now() + ${pauseMs}::float8 * interval '1 ms',
        sent_at = case when ${state} = 'sent' then now() end, version = version + 1
      where id = ${id} and version = ${version} and state = 'sending'`.execute(tx);
  });
}

/** Those that somebody took that long ago are nobody's: their letter has perhaps arrived. */
export function giveUpLost(db: Db, leaseMs: number): Promise<readonly NotificationRow[]> {
  return transact(db, 'rentals_rw', SENDER, async (tx) => {
    const { rows } = await sql<NotificationRow>`update rentals.notification
      set state = 'unknown', reason = 'sender-lost', version = version + 1
      where state = 'sending' and sending_at <= now() - ${leaseMs}::float8 * interval '1 ms'
      returning *`.execute(tx);
    return rows;
  });
}

/**
 * Queues it once more because a person says so. A repeat of the same command changes nothing. Throws
 * `not-found`, and `invalid-state` while it is on its way anyhow.
 */
export function resendNotification(
  db: Db,
  acting: Acting,
  id: string,
  commandId: string,
): Promise<NotificationRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const { rows: known } = await sql<NotificationRow>`select * from rentals.notification
      where id = ${id} for update`.execute(tx);
    const [before] = known;
    if (before === undefined) throw new DomainError('not-found', 'There is no such notification.');
    if (before.resend_id === commandId) return before;
    if (before.state === 'queued' || before.state === 'sending') {
      const message = 'It is on its way: wait until it is sent, or has failed.';
      throw new DomainError('invalid-state', message, { state: before.state });
    }
    const { rows } = await sql<NotificationRow>`update rentals.notification
      set state = 'queued', reason = null, tries = 0, next_at = now(), sent_at = null,
        resends = resends + 1, resend_id = ${commandId}, version = version + 1
      where id = ${id} returning *`.execute(tx);
    const row = rows[0] as NotificationRow;
    await recordAudit(tx, {
      action: 'notification.resend',
      subjectType: 'notification',
      subjectId: id,
      commandId,
      before: { state: before.state, reason: before.reason, sentAt: before.sent_at },
      after: { kind: row.kind, rentalId: row.rental_id, resends: row.resends },
    });
    return row;
  });
}

/** Replaces what the customer does not want. Throws `not-found` and `version-conflict`. */
export function setOptOuts(
  db: Db,
  acting: Acting,
  customerId: string,
  version: number,
  optOuts: readonly string[],
): Promise<CustomerRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const row = await updateVersion<CustomerRow>(tx, 'rentals.customer', customerId, version, {
      opt_outs: `{${[...new Set(optOuts)].sort().join(',')}}`,
    });
    await publish(tx, {
      type: 'forecourt.customer.updated.v1',
      aggregateId: row.id,
      sequence: row.version,
      data: { customerId: row.id },
    });
    const subject = { subjectType: 'customer', subjectId: row.id } as const;
    await recordAudit(tx, { action: 'customer.opt-out', ...subject, after: { optOuts } });
    return row;
  });
}
