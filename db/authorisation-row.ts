// A hold's row as the rules know it, and the rental's deposit that its rows make up.
import { type RawBuilder, sql } from 'kysely';
import type { DepositState, Hold } from '../domain/payments/deposit.ts';
import type { GatewayName } from '../domain/payments/gateway.ts';
import type { Tx } from './client.ts';

/** What stays between us and the gateway: workflows and answers have no use for it. */
export type HoldRow = Hold & {
  readonly rentalId: string;
  /** `prepayment`: charged at once. `delayed`: for a document that came after the return. */
  readonly purpose: 'deposit' | 'prepayment' | 'delayed';
  readonly gateway: GatewayName;
  readonly gatewayRef: string | null;
  readonly paymentMethod: string;
  readonly replaces: string | null;
};

export const HOLD_COLUMNS: RawBuilder<unknown> = sql`id, payer, state,
  amount_minor as "amountMinor", captured_minor as "capturedMinor",
  refunded_minor as "refundedMinor", currency, overcapture_percent as "overcapturePercent",
  opened_at as "openedAt", valid_until as "validUntil", replaced_by as "replacedBy", attention,
  version`;

export const HOLD_ROW_COLUMNS: RawBuilder<unknown> = sql`${HOLD_COLUMNS},
  rental_id as "rentalId", purpose, gateway, gateway_ref as "gatewayRef",
  payment_method as "paymentMethod", replaces`;

/**
 * The deposit as it is now: at most two open holds, beside those that no release ended and that a
 * person was called for, and one order whose outcome is not known.
 */
export async function depositOf(tx: Tx, rentalId: string): Promise<DepositState> {
  const { rows: open } = await sql<Hold>`select ${HOLD_COLUMNS} from rentals.authorisation
    where rental_id = ${rentalId} and purpose = 'deposit' and state = 'open'`.execute(tx);
  const { rows: pending } = await sql<{ key: string }>`select p.id as key
    from rentals.payment_attempt p join rentals.authorisation a on a.id = p.authorisation_id
    where a.rental_id = ${rentalId} and p.state = 'unknown' order by p.created_at`.execute(tx);
  const current = open.find(({ replacedBy }) => replacedBy === null) ?? null;
  const replaced = open.filter(({ replacedBy }) => replacedBy !== null);
  const unreleased = replaced.find(({ attention }) => attention !== null) ?? null;
  return {
    rentalId,
    current,
    replaced: replaced.find(({ attention }) => attention === null) ?? unreleased,
    pendingKey: pending[0]?.key ?? null,
    attention: current?.attention ?? unreleased?.attention ?? (await attentionOf(tx, rentalId)),
  };
}

/** A payment is disputed, or the last hold ended otherwise than it should. */
async function attentionOf(tx: Tx, rentalId: string): Promise<string | null> {
  const { rows } = await sql<{ why: string | null }>`select coalesce(
      (select 'disputed' from rentals.dispute
        where rental_id = ${rentalId} and state in ('open', 'lost') limit 1),
      (select attention from rentals.authorisation where rental_id = ${rentalId}
        and purpose = 'deposit' order by created_at desc, id desc limit 1),
      (select attention from rentals.authorisation where rental_id = ${rentalId}
        and purpose <> 'deposit' and attention is not null limit 1)) as why`.execute(tx);
  return rows[0]?.why ?? null;
}

export async function lockHold(tx: Tx, id: string): Promise<HoldRow | undefined> {
  const { rows } = await sql<HoldRow>`select ${HOLD_ROW_COLUMNS} from rentals.authorisation
    where id = ${id} for update`.execute(tx);
  return rows[0];
}
