// What a gateway answered: the order is settled and its hold changed, with event and audit, at once.
import { type RawBuilder, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { EventType } from '../../domain/events.ts';
import type { DepositState, Hold } from '../../domain/payments/deposit.ts';
import type { GatewayName, GatewayOrder, GatewayOutcome } from '../../domain/payments/gateway.ts';
import { depositOf, HOLD_ROW_COLUMNS, type HoldRow, lockHold } from '../authorisation-row.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';

type AttemptRow = {
  readonly key: string;
  readonly authorisationId: string;
  readonly kind: GatewayOrder['kind'];
  readonly amountMinor: number | null;
  readonly state: 'unknown' | 'done' | 'declined';
  readonly declineCode: string | null;
  readonly askedAt: string | null;
};

/** An order as the gateway is to be asked, and when it was first asked; null for never. */
export type OrderToAsk = {
  readonly gateway: GatewayName;
  readonly order: GatewayOrder;
  readonly firstAskedAt: string | null;
};

/**
 * Notes, before it is done, that the gateway is asked. Answers null when the outcome is known.
 * Whoever finds that it was asked before must not order anew but look for what became of it.
 */
export function noteAsked(db: Db, acting: Acting, key: string): Promise<OrderToAsk | null> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const attempt = await lockAttempt(tx, key);
    if (attempt.state !== 'unknown') return null;
    const hold = (await lockHold(tx, attempt.authorisationId)) as HoldRow;
    await sql`update rentals.payment_attempt set asked = asked + 1,
        asked_at = coalesce(asked_at, now()),
        asked_again_at = case when asked > 0 then now() end
      where id = ${key}`.execute(tx);
    const { gateway } = hold;
    return { gateway, order: orderOf(attempt, hold), firstAskedAt: attempt.askedAt };
  });
}

function orderOf({ kind, amountMinor }: AttemptRow, hold: HoldRow): GatewayOrder {
  const { currency, rentalId, paymentMethod, gatewayRef } = hold;
  const amount = { amountMinor: amountMinor ?? 0, currency };
  if (kind === 'authorise') return { kind, rentalId, paymentMethod, ...amount };
  if (gatewayRef === null) throw new Error(`Hold ${hold.id} has no reference of its gateway.`);
  return kind === 'release' ? { kind, ref: gatewayRef } : { kind, ref: gatewayRef, ...amount };
}

export type Settled = {
  readonly deposit: DepositState;
  /** Why the gateway would not; null when it did. */
  readonly declined: string | null;
};

/** A repeat changes nothing and answers the same refusal. */
export function settlePayment(
  db: Db,
  acting: Acting,
  key: string,
  outcome: GatewayOutcome | null,
): Promise<Settled> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const attempt = await lockAttempt(tx, key);
    const hold = (await lockHold(tx, attempt.authorisationId)) as HoldRow;
    if (attempt.state === 'unknown' && outcome !== null) {
      const isDone = outcome.status === 'done';
      await sql`update rentals.payment_attempt set state = ${outcome.status},
          decline_code = ${isDone ? null : outcome.code},
          gateway_ref = ${isDone ? outcome.ref : null}, settled_at = now()
        where id = ${key}`.execute(tx);
      await (isDone
        ? carryOver(tx, hold, attempt, outcome)
        : noteDecline(tx, hold, attempt, outcome.code));
    }
    const settled = await lockAttempt(tx, key);
    return { deposit: await depositOf(tx, hold.rentalId), declined: settled.declineCode };
  });
}

async function carryOver(
  tx: Tx,
  hold: HoldRow,
  { kind, amountMinor, key }: AttemptRow,
  { ref, heldAt, validUntil, overcapturePercent }: Extract<GatewayOutcome, { status: 'done' }>,
): Promise<void> {
  switch (kind) {
    case 'authorise': {
      if (hold.replaces !== null) await replace(tx, hold.replaces, hold.id, key);
      const opened = sql`state = 'open', gateway_ref = ${ref}, opened_at = ${heldAt},
        valid_until = ${validUntil}, overcapture_percent = ${overcapturePercent}`;
      return change(tx, hold, opened, 'authorised', key);
    }
    case 'increase': {
      // Some networks lengthen it with an increase; none shortens it.
      const raised = sql`amount_minor = ${amountMinor},
        valid_until = greatest(valid_until, ${validUntil}::timestamptz)`;
      return change(tx, hold, raised, 'increased', key);
    }
    case 'capture': {
      const taken = sql`state = 'captured', captured_minor = ${amountMinor}, attention = null`;
      return change(tx, hold, taken, 'captured', key);
    }
    case 'release':
      return change(tx, hold, sql`state = 'released', attention = null`, 'released', key);
    case 'refund': {
      const back = sql`refunded_minor = refunded_minor + ${amountMinor}`;
      return change(tx, hold, back, 'refunded', key);
    }
    default:
      return kind satisfies never;
  }
}

async function noteDecline(
  tx: Tx,
  hold: HoldRow,
  { kind, key }: AttemptRow,
  code: string,
): Promise<void> {
  await recordAudit(tx, {
    action: `deposit.${kind}-declined`,
    subjectType: 'authorisation',
    subjectId: hold.id,
    commandId: key,
    after: { code },
  });
  if (kind !== 'authorise') return;
  const declined = sql`state = 'declined', decline_code = ${code}`;
  await change(tx, hold, declined, 'declined', key);
  const old = hold.replaces === null ? undefined : await lockHold(tx, hold.replaces);
  if (old?.state !== 'open') return;
  await flag(tx, old, `not renewed: ${code}`.slice(0, 200), key);
}

async function replace(tx: Tx, id: string, by: string, key: string): Promise<void> {
  const old = await lockHold(tx, id);
  if (old?.state !== 'open') return;
  await change(tx, old, sql`replaced_by = ${by}, attention = null`, 'replaced', key);
}

/**
 * The clock's word on a hold: a person has to look at it, or it is over. A repeat, and a hold that is
 * not open any more, change nothing.
 */
export function markHold(
  db: Db,
  acting: Acting,
  given: { readonly key: string; readonly authorisationId: string; readonly as: HoldMark },
): Promise<DepositState> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const { key, authorisationId, as } = given;
    const hold = await lockHold(tx, authorisationId);
    if (hold === undefined) throw new DomainError('not-found', 'There is no such hold.');
    if (hold.state === 'open') {
      if (as === 'attention') await flag(tx, hold, 'not renewed in time', key);
      else await change(tx, hold, sql`state = 'expired'`, 'expired', key);
    }
    return depositOf(tx, hold.rentalId);
  });
}

export type HoldMark = 'attention' | 'expired';

async function flag(tx: Tx, hold: HoldRow, reason: string, key: string): Promise<void> {
  if (hold.attention !== null) return;
  await change(tx, hold, sql`attention = ${reason}`, 'renewal-due', key);
}

type Fact =
  Extract<EventType, `forecourt.deposit.${string}`> extends `forecourt.deposit.${infer T}.v1`
    ? T
    : never;

async function change(
  tx: Tx,
  before: HoldRow,
  to: RawBuilder<unknown>,
  fact: Fact,
  commandId: string,
): Promise<void> {
  const { rows } = await sql<HoldRow>`update rentals.authorisation set ${to}, version = version + 1
    where id = ${before.id} and version = ${before.version}
    returning ${HOLD_ROW_COLUMNS}`.execute(tx);
  const hold = rows[0] as HoldRow;
  await publish(tx, {
    type: `forecourt.deposit.${fact}.v1`,
    aggregateId: hold.id,
    sequence: hold.version,
    data: factOf(hold),
  });
  const subject = { subjectType: 'authorisation', subjectId: hold.id } as const;
  const after = { state: hold.state, version: hold.version };
  await recordAudit(tx, { action: `deposit.${fact}`, ...subject, commandId, after });
}

function factOf(hold: Hold & { readonly rentalId: string }) {
  const { id: authorisationId, rentalId, state, amountMinor, capturedMinor } = hold;
  const { refundedMinor, currency, validUntil } = hold;
  const amounts = { amountMinor, capturedMinor, refundedMinor, currency };
  return { authorisationId, rentalId, state, ...amounts, validUntil };
}

async function lockAttempt(tx: Tx, key: string): Promise<AttemptRow> {
  const { rows } = await sql<AttemptRow>`select id as key, authorisation_id as "authorisationId",
      kind, amount_minor as "amountMinor", state, decline_code as "declineCode",
      asked_at as "askedAt"
    from rentals.payment_attempt where id = ${key} for update`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw new DomainError('not-found', 'There is no such order.', { of: 'payment-attempt' });
}
