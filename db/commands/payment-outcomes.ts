// What a gateway answered: the order is settled and its hold changed, with event and audit, at once.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { DepositState } from '../../domain/payments/deposit.ts';
import type { GatewayName, GatewayOrder, GatewayOutcome } from '../../domain/payments/gateway.ts';
import type { TaxShare } from '../../domain/prepayment.ts';
import { depositOf, type HoldRow, lockHold } from '../authorisation-row.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { recordAudit } from './audit.ts';
import { settleCharge, settleReturn } from './card-prepayments.ts';
import { changeHold, flagHold } from './hold-changes.ts';
import { postLateCapture } from './late-charge-orders.ts';
import { postCapture, postRefund } from './payment-entries.ts';

export type AttemptRow = {
  readonly key: string;
  readonly authorisationId: string;
  readonly kind: GatewayOrder['kind'];
  readonly amountMinor: number | null;
  readonly state: 'unknown' | 'done' | 'declined';
  readonly declineCode: string | null;
  readonly askedAt: string | null;
  readonly reason: string | null;
  readonly approvalId: string | null;
  /** Of a charge. */
  readonly taxes: readonly TaxShare[] | null;
  /** What it did to the books. */
  readonly entryId: string | null;
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
  if (kind === 'authorise' || kind === 'charge')
    return { kind, rentalId, paymentMethod, ...amount };
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
    const { hold } = await settleWithin(tx, key, outcome);
    const settled = await lockAttempt(tx, key);
    return { deposit: await depositOf(tx, hold.rentalId), declined: settled.declineCode };
  });
}

/**
 * The same in the caller's transaction; answers the order as it was before. Money that moved is posted
 * with it: whoever finds the order done finds its entry.
 */
export async function settleWithin(
  tx: Tx,
  key: string,
  outcome: GatewayOutcome | null,
): Promise<Ordered> {
  const attempt = await lockAttempt(tx, key);
  const hold = (await lockHold(tx, attempt.authorisationId)) as HoldRow;
  if (attempt.state === 'unknown' && outcome !== null) {
    await settleAnew(tx, { attempt, hold }, outcome);
  }
  return { attempt, hold };
}

export type Ordered = { readonly attempt: AttemptRow; readonly hold: HoldRow };

/** Of an order that is not known, or of a charge that was given up and that the gateway did. */
export async function settleAnew(
  tx: Tx,
  { attempt, hold }: Ordered,
  outcome: GatewayOutcome,
): Promise<void> {
  const isDone = outcome.status === 'done';
  await sql`update rentals.payment_attempt set state = ${outcome.status},
      decline_code = ${isDone ? null : outcome.code},
      gateway_ref = ${isDone ? outcome.ref : null}, settled_at = now(),
      entry_id = ${isDone ? await posted(tx, hold, attempt) : null}
    where id = ${attempt.key}`.execute(tx);
  await (isDone
    ? carryOver(tx, hold, attempt, outcome)
    : noteDecline(tx, hold, attempt, outcome.code));
}

/** A hold is no cash: only what is taken and given back is posted (decisions.md 15). */
async function posted(
  tx: Tx,
  hold: HoldRow,
  { kind, key, amountMinor, taxes, reason, approvalId }: AttemptRow,
): Promise<string | null> {
  const { rentalId, currency, payer } = hold;
  const moved = { key, rentalId, currency, amountMinor: amountMinor ?? 0 };
  if (kind === 'capture' && hold.purpose === 'delayed') {
    return postLateCapture(tx, hold, key, moved.amountMinor);
  }
  if (hold.purpose === 'prepayment') {
    if (kind === 'charge') return settleCharge(tx, hold, taxes ?? []);
    const given = { key, amountMinor: moved.amountMinor, reason: reason ?? 'other', approvalId };
    return settleReturn(tx, hold, given);
  }
  if (kind === 'capture') return postCapture(tx, payer, moved);
  return kind === 'refund' ? postRefund(tx, payer, moved) : null;
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
      return changeHold(tx, hold, opened, 'authorised', key);
    }
    case 'increase': {
      // Some networks lengthen it with an increase; none shortens it.
      const raised = sql`amount_minor = ${amountMinor},
        valid_until = greatest(valid_until, ${validUntil}::timestamptz)`;
      return changeHold(tx, hold, raised, 'increased', key);
    }
    case 'charge': {
      const taken = sql`state = 'captured', captured_minor = amount_minor, gateway_ref = ${ref},
        opened_at = now(), decline_code = null`;
      return changeHold(tx, hold, taken, 'captured', key);
    }
    case 'capture': {
      const taken = sql`state = 'captured', captured_minor = ${amountMinor}, attention = null`;
      return changeHold(tx, hold, taken, 'captured', key);
    }
    case 'release':
      return changeHold(tx, hold, sql`state = 'released', attention = null`, 'released', key);
    case 'refund': {
      // What could not be paid back before has gone back now.
      const settled = hold.purpose === 'prepayment' ? sql`, attention = null` : sql``;
      const back = sql`refunded_minor = refunded_minor + ${amountMinor}${settled}`;
      return changeHold(tx, hold, back, 'refunded', key);
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
    action: `${hold.purpose === 'prepayment' ? 'prepayment' : 'deposit'}.${kind}-declined`,
    subjectType: 'authorisation',
    subjectId: hold.id,
    commandId: key,
    after: { code },
  });
  // What is owed back stays owed, and a person finds another way.
  if (hold.purpose === 'prepayment' && kind === 'refund') {
    return flagHold(tx, hold, `not paid back: ${code}`.slice(0, 200), key, 'attention-needed');
  }
  if (kind !== 'authorise' && kind !== 'charge') return;
  const declined = sql`state = 'declined', decline_code = ${code}`;
  await changeHold(tx, hold, declined, 'declined', key);
  const old = hold.replaces === null ? undefined : await lockHold(tx, hold.replaces);
  if (old?.state !== 'open') return;
  await flagHold(tx, old, `not renewed: ${code}`.slice(0, 200), key);
}

async function replace(tx: Tx, id: string, by: string, key: string): Promise<void> {
  const old = await lockHold(tx, id);
  if (old?.state !== 'open') return;
  await flagUnreleased(tx, old, key);
  await changeHold(tx, old, sql`replaced_by = ${by}, attention = null`, 'replaced', key);
}

/** The one before, which the gateway would not let go: its end, or a person, settles it. */
async function flagUnreleased(tx: Tx, { rentalId }: HoldRow, key: string): Promise<void> {
  const { replaced } = await depositOf(tx, rentalId);
  const hold = replaced === null ? undefined : await lockHold(tx, replaced.id);
  if (hold !== undefined) await flagHold(tx, hold, 'not released', key, 'attention-needed');
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
      if (as === 'attention') await flagHold(tx, hold, 'not renewed in time', key);
      else if (as === 'unsettled') {
        await flagHold(tx, hold, 'not settled', key, 'attention-needed');
      } else await changeHold(tx, hold, sql`state = 'expired'`, 'expired', key);
    }
    return depositOf(tx, hold.rentalId);
  });
}

/** `unsettled`: the rental is over, and the card neither gave what is owed nor was let go. */
export type HoldMark = 'attention' | 'expired' | 'unsettled';

async function lockAttempt(tx: Tx, key: string): Promise<AttemptRow> {
  const { rows } = await sql<AttemptRow>`select id as key, authorisation_id as "authorisationId",
      kind, amount_minor as "amountMinor", state, decline_code as "declineCode",
      asked_at as "askedAt", reason, approval_id as "approvalId", taxes, entry_id as "entryId"
    from rentals.payment_attempt where id = ${key} for update`.execute(tx);
  if (rows[0] !== undefined) return rows[0];
  throw new DomainError('not-found', 'There is no such order.', { of: 'payment-attempt' });
}
