// What the simulated gateway tells by itself: kept with what it did, sent until it is answered.
import { sql } from 'kysely';
import { type Db, type Tx, transact } from '../db/client.ts';
import type { GatewayNotice, GatewayOrder, NoticedDispute } from '../domain/payments/gateway.ts';
import { signNotice } from './notices.ts';

/** Cards about whose payments it has more to tell. */
export const TELLING_CARDS = {
  /** The holder's bank takes each payment back; nobody decides about it. */
  dispute: 'sim_dispute',
  disputeWon: 'sim_dispute_won',
  disputeLost: 'sim_dispute_lost',
  /** Refunds are done, and come back. */
  refundFailed: 'sim_refund_failed',
  /** What becomes of its orders is told twice, under one id. */
  twice: 'sim_twice',
} as const;

const NOBODY = 'system:simulated-gateway';
const DISPUTE_FEE_MINOR = 1_500;
const MAX_SENT = 20;

/** Hands a notice over; false, or a rejection, when it was not accepted. */
export type SendNotice = (body: string, signature: string) => Promise<boolean>;

export type DoneOrder = Exclude<
  GatewayOrder,
  { readonly kind: 'authorise' | 'charge' | 'increase' }
>;

export async function keepNotices(
  tx: Tx,
  key: string,
  order: DoneOrder,
  card: string,
): Promise<void> {
  for (const told of noticesOf(key, order, card)) {
    const notice = { ...told, id: `sim_evt_${crypto.randomUUID()}` };
    await sql`insert into simulated_gateway.notice (body)
      select ${JSON.stringify(notice)} from generate_series(1, ${card === TELLING_CARDS.twice ? 2 : 1})
    `.execute(tx);
  }
}

type Told = GatewayNotice extends infer N
  ? N extends { type: string }
    ? Omit<N, 'id'>
    : never
  : never;

function noticesOf(key: string, order: DoneOrder, card: string): readonly Told[] {
  const { ref } = order;
  // A release by us is told like any other end.
  if (order.kind === 'release') return [{ type: 'hold-ended', ref }];
  const done = { type: 'order-done', ref, key } as const;
  if (order.kind === 'refund') {
    const back = { type: 'order-failed', ref, key, code: 'unknown' } as const;
    return card === TELLING_CARDS.refundFailed ? [done, back] : [done];
  }
  const disputed = (outcome: NoticedDispute['outcome']) =>
    ({ type: 'disputed', ref, dispute: disputeOf(order, outcome) }) as const;
  switch (card) {
    case TELLING_CARDS.dispute:
      return [done, disputed('open')];
    case TELLING_CARDS.disputeWon:
      return [done, disputed('open'), disputed('won')];
    case TELLING_CARDS.disputeLost:
      return [done, disputed('open'), disputed('lost')];
    default:
      return [done];
  }
}

function disputeOf(
  { ref, amountMinor, currency }: Extract<DoneOrder, { readonly amountMinor: number }>,
  outcome: NoticedDispute['outcome'],
): NoticedDispute {
  const feeReturnedMinor = outcome === 'won' ? DISPUTE_FEE_MINOR : 0;
  const fees = { feeMinor: DISPUTE_FEE_MINOR, feeReturnedMinor };
  return { ref: `dp_${ref}`, outcome, amountMinor, currency, ...fees };
}

/** Sends what was not accepted yet, oldest first, and stops where nobody answers. */
export function deliverNotices(db: Db, secret: string, send: SendNotice): Promise<void> {
  return transact(db, 'rentals_rw', NOBODY, async (tx) => {
    const { rows } = await sql<{ seq: number; body: string }>`select seq, body
      from simulated_gateway.notice where sent_at is null order by seq limit ${MAX_SENT}
      for update skip locked`.execute(tx);
    for (const { seq, body } of rows) {
      const signature = signNotice(secret, body, Math.floor(Date.now() / 1_000));
      if (!(await send(body, signature).catch(() => false))) return;
      await sql`update simulated_gateway.notice set sent_at = now() where seq = ${seq}`.execute(tx);
    }
  });
}
