// What a gateway tells by itself: each notice has its effect once, however often it comes.
import { sql } from 'kysely';
import type { GatewayName, GatewayNotice, GatewayOutcome } from '../../domain/payments/gateway.ts';
import { type HoldRow, lockHold } from '../authorisation-row.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { takeDispute } from './disputes.ts';
import { changeHold, flagHold } from './hold-changes.ts';
import { postPayment } from './payment-entries.ts';
import { type AttemptRow, settleAnew, settleWithin } from './payment-outcomes.ts';
import { takeBackReturn } from './prepayment-refunds.ts';

const GATEWAY = 'system:payment-gateway';

type Told = Exclude<GatewayNotice, { readonly type: 'other' }>;

/**
 * Answers the rental whose deposit has to hear of it, also for a repeat; null for what changed
 * nothing, and for what is not ours, such as the payments of another system on the same account.
 */
export async function takeNotice(
  db: Db,
  gateway: GatewayName,
  notice: GatewayNotice,
): Promise<string | null> {
  if (notice.type === 'other') return null;
  return transact(db, 'rentals_rw', GATEWAY, async (tx) => {
    const hold = (await holdAt(tx, gateway, notice.ref)) ?? (await chargeOf(tx, gateway, notice));
    if (hold === undefined) return null;
    const { id, rentalId } = hold;
    const { rows } = await sql`insert into rentals.gateway_notice (gateway, id, type, rental_id)
      values (${gateway}, ${notice.id}, ${notice.type}, ${rentalId})
      on conflict do nothing returning id`.execute(tx);
    const isNews =
      rows.length === 0 ? await wasNews(tx, gateway, notice) : await take(tx, id, notice);
    if (rows.length > 0 && isNews) {
      await sql`update rentals.gateway_notice set changed = true
        where gateway = ${gateway} and id = ${notice.id}`.execute(tx);
    }
    return isNews ? rentalId : null;
  });
}

async function holdAt(tx: Tx, gateway: GatewayName, ref: string) {
  const { rows } = await sql<{ id: string; rentalId: string }>`select id, rental_id as "rentalId"
    from rentals.authorisation where gateway = ${gateway} and gateway_ref = ${ref}`.execute(tx);
  return rows[0];
}

/** A charge whose answer never came: its reference is news. */
async function chargeOf(tx: Tx, gateway: GatewayName, notice: Told) {
  if (notice.type !== 'order-done') return undefined;
  const { rows } = await sql<{ id: string; rentalId: string }>`select a.id,
      a.rental_id as "rentalId"
    from rentals.payment_attempt p join rentals.authorisation a on a.id = p.authorisation_id
    where p.id = ${notice.key} and p.kind = 'charge' and a.gateway = ${gateway}
      and a.gateway_ref is null`.execute(tx);
  return rows[0];
}

async function wasNews(tx: Tx, gateway: GatewayName, { id }: Told): Promise<boolean> {
  const { rows } = await sql<{ changed: boolean }>`select changed from rentals.gateway_notice
    where gateway = ${gateway} and id = ${id}`.execute(tx);
  return rows[0]?.changed ?? false;
}

/** Answers whether anything changed. */
async function take(tx: Tx, holdId: string, notice: Told): Promise<boolean> {
  switch (notice.type) {
    case 'order-done':
      return orderDone(tx, holdId, notice.key, notice.ref);
    case 'order-failed':
      return orderFailed(tx, holdId, notice.key, notice.code);
    case 'hold-ended':
      return ended(tx, holdId, notice);
    case 'disputed':
      await takeDispute(tx, (await lockHold(tx, holdId)) as HoldRow, notice.dispute);
      return true;
    default:
      return notice satisfies never;
  }
}

/** Of a new hold and a raised one the answer says more than a notice: they wait for it. */
const SETTLED_BY_NOTICE: readonly string[] = ['charge', 'capture', 'refund', 'release'];

type Order = { readonly key: string; readonly kind: string };

async function orderDone(tx: Tx, holdId: string, key: string, ref: string): Promise<boolean> {
  const order = await orderOf(tx, holdId, sql`id = ${key}`);
  if (order === undefined || !SETTLED_BY_NOTICE.includes(order.kind)) return false;
  const { attempt, hold } = await settleWithin(tx, key, done(ref));
  if (attempt.state === 'declined') {
    // Money that was taken is in the books, and goes back as any other; nobody expected it, though.
    if (attempt.kind === 'charge') await settleAnew(tx, { attempt, hold }, done(ref));
    const known = (await lockHold(tx, holdId)) as HoldRow;
    const why = `done after all: ${attempt.kind}`;
    await flagHold(tx, known, why, key, 'attention-needed');
  }
  return attempt.state !== 'done';
}

/** A refund may come back days after it was done: then it is not given, and not in the books. */
async function orderFailed(tx: Tx, holdId: string, key: string, code: string): Promise<boolean> {
  const order = await orderOf(tx, holdId, sql`id = ${key}`);
  if (order === undefined || !SETTLED_BY_NOTICE.includes(order.kind)) return false;
  const { attempt, hold } = await settleWithin(tx, key, { status: 'declined', code });
  if (attempt.state === 'done' && attempt.kind === 'refund') return undo(tx, hold, attempt);
  return attempt.state !== 'declined';
}

/** Once: it is owed again, and a person finds out how it is paid. Answers whether it was news. */
async function undo(tx: Tx, hold: HoldRow, { key, entryId, amountMinor }: AttemptRow) {
  const { rentalId, currency, purpose } = hold;
  const { rows } = await sql`update rentals.payment_attempt set came_back_at = now()
    where id = ${key} and came_back_at is null returning id`.execute(tx);
  if (rows.length === 0) return false;
  if (entryId !== null) {
    const failed = { key: `${key}/failed`, source: 'payment.refund-failed' } as const;
    await postPayment(tx, { ...failed, rentalId, currency, reverses: entryId });
    const back = { key, entryId, amountMinor: amountMinor ?? 0 };
    if (purpose === 'prepayment') await takeBackReturn(tx, hold.id, back);
  }
  const why = hold.attention ?? 'a refund came back';
  const given = sql`refunded_minor = refunded_minor - ${amountMinor}, attention = ${why}`;
  await changeHold(tx, hold, given, 'attention-needed', key);
  return true;
}

/** Ours to end it or not: what is still being asked decides, and without that it is over. */
async function ended(
  tx: Tx,
  holdId: string,
  { id, ref }: Told & { readonly ref: string },
): Promise<boolean> {
  const pending = await orderOf(tx, holdId, sql`state = 'unknown'`);
  if (pending?.kind === 'release') {
    await settleWithin(tx, pending.key, done(ref));
    return true;
  }
  const hold = (await lockHold(tx, holdId)) as HoldRow;
  if (hold.state !== 'open') return false;
  const why = 'ended by the gateway';
  if (pending !== undefined) await flagHold(tx, hold, why, id, 'attention-needed');
  else {
    const attention = hold.replacedBy === null ? why : null;
    await changeHold(tx, hold, sql`state = 'expired', attention = ${attention}`, 'expired', id);
  }
  return true;
}

async function orderOf(
  tx: Tx,
  holdId: string,
  which: ReturnType<typeof sql>,
): Promise<Order | undefined> {
  const { rows } = await sql<Order>`select id as key, kind from rentals.payment_attempt
    where authorisation_id = ${holdId} and ${which}`.execute(tx);
  return rows[0];
}

function done(ref: string): GatewayOutcome {
  return { status: 'done', ref, heldAt: null, validUntil: null, overcapturePercent: 0 };
}
