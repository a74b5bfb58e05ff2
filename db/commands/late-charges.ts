// Documents that come after the return: whether the renter's card pays, and each order that this takes.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import {
  chargeUntil,
  type LateChargeFacts,
  type LateChargeReason,
  type LateChargeState,
  type LateSource,
  lateChargeRefusal,
  WINDOW_DAYS,
} from '../../domain/late-charge.ts';
import type { GatewayName } from '../../domain/payments/gateway.ts';
import { type HoldRow, lockHold } from '../authorisation-row.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { flagHold } from './hold-changes.ts';
import { authoriseLate, ordersOf, placeLate } from './late-charge-orders.ts';
import { disputeOf } from './payment-steps.ts';

/** A document that a renter owes for what was found after the hire. */
export type LateDocument = {
  readonly invoiceId: string;
  readonly rentalId: string;
  readonly customerId: string;
  readonly branchId: string;
  readonly entityId: string;
  readonly currency: string;
  readonly source: LateSource;
  readonly sourceId: string;
};

export type LateChargeRow = LateDocument & {
  readonly id: string;
  readonly state: LateChargeState;
  readonly reason: LateChargeReason | null;
  readonly chargeUntil: string | null;
  readonly authorisationId: string | null;
  readonly chargedMinor: number | null;
  readonly askedAt: string;
  readonly endedAt: string | null;
  readonly version: number;
};

export const LATE_CHARGE_COLUMNS = sql`id, invoice_id as "invoiceId", rental_id as "rentalId",
  customer_id as "customerId", branch_id as "branchId", entity_id as "entityId", source,
  source_id as "sourceId", currency, state, reason, charge_until as "chargeUntil",
  authorisation_id as "authorisationId", charged_minor as "chargedMinor", asked_at as "askedAt",
  ended_at as "endedAt", version`;

/**
 * In the transaction that issued the document: `card` when the renter's card is asked next, which
 * the fact of it starts; else the row says why it stays an invoice, or that nothing is open of it.
 */
export async function askLateCharge(tx: Tx, document: LateDocument): Promise<'card' | 'invoice'> {
  const facts = await factsOf(tx, document);
  const isOpen = (await openOf(tx, document.invoiceId)) > 0;
  const reason = isOpen ? lateChargeRefusal(facts, new Date().toISOString()) : null;
  const state = isOpen ? (reason === null ? 'asked' : 'invoice') : 'settled';
  const { invoiceId, rentalId, customerId, branchId, entityId } = document;
  const { currency, source, sourceId } = document;
  const { rows } = await sql<LateChargeRow>`insert into rentals.late_charge (invoice_id, rental_id,
      customer_id, branch_id, entity_id, source, source_id, currency, charge_until, state, reason,
      ended_at)
    values (${invoiceId}, ${rentalId}, ${customerId}, ${branchId}, ${entityId}, ${source},
      ${sourceId}, ${currency}, ${facts.chargeUntil}, ${state}, ${reason},
      ${state === 'asked' ? null : sql`now()`})
    on conflict (invoice_id) do nothing returning ${LATE_CHARGE_COLUMNS}`.execute(tx);
  const [row] = rows;
  if (row !== undefined) await tell(tx, row);
  return state === 'asked' ? 'card' : 'invoice';
}

async function factsOf(
  tx: Tx,
  { rentalId }: Pick<LateDocument, 'rentalId'>,
): Promise<LateChargeFacts> {
  const { rows } = await sql<{
    readonly consentedAt: string | null;
    readonly returnedAt: string | null;
    readonly windowDays: number;
    readonly hasCard: boolean;
  }>`select c.consented_at as "consentedAt", r.checked_in_at as "returnedAt",
      coalesce(c.window_days, t.card_window_days, ${WINDOW_DAYS}::int) as "windowDays",
      exists (select from rentals.authorisation a where a.rental_id = r.id and a.payer = 'renter'
        and a.purpose = 'deposit' and a.state not in ('pending', 'declined')) as "hasCard"
    from rentals.rental r left join rentals.delayed_charge_consent c on c.rental_id = r.id
    left join rentals.violation_terms t on t.entity_id = r.entity_id
    where r.id = ${rentalId}`.execute(tx);
  const [facts] = rows;
  if (facts === undefined) throw new Error(`Rental ${rentalId} is gone.`);
  const { consentedAt, returnedAt, windowDays, hasCard } = facts;
  const isDisputed = (await disputeOf(tx, rentalId)) !== undefined;
  return { consentedAt, chargeUntil: chargeUntil(returnedAt, windowDays), hasCard, isDisputed };
}

/**
 * The key of the order that the gateway is to be asked next, written down; null when the document is
 * charged, or stays an invoice. Whoever repeats it gets the same key: the card is charged once.
 */
export async function nextLateOrder(
  db: Db,
  acting: Acting,
  gateway: GatewayName,
  invoiceId: string,
): Promise<string | null> {
  const next = () => inRow(db, acting, invoiceId, (tx, row) => step(tx, gateway, row));
  try {
    return await next();
  } catch (error) {
    // A dispute came just then, which the next look sees.
    if (isStopped(error)) return next();
    if (!(error instanceof DomainError)) throw error;
    // A card that is stopped, or books that cannot take it: before anything was asked.
    return inRow(db, acting, invoiceId, (tx, row) => end(tx, row, 'invoice', 'refused'));
  }
}

function isStopped(error: unknown): boolean {
  return (error as { readonly constraint?: string }).constraint === 'payment_attempt_undisputed';
}

function inRow(
  db: Db,
  acting: Acting,
  invoiceId: string,
  work: (tx: Tx, row: LateChargeRow) => Promise<string | null>,
): Promise<string | null> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const { rows } = await sql<LateChargeRow>`select ${LATE_CHARGE_COLUMNS}
      from rentals.late_charge where invoice_id = ${invoiceId} for update`.execute(tx);
    return rows[0] === undefined || rows[0].endedAt !== null ? null : work(tx, rows[0]);
  });
}

async function step(tx: Tx, gateway: GatewayName, row: LateChargeRow): Promise<string | null> {
  const { authorisationId } = row;
  if (authorisationId === null) return begin(tx, gateway, row);
  const hold = (await lockHold(tx, authorisationId)) as HoldRow;
  const { unknown, declined } = await ordersOf(tx, authorisationId);
  if (unknown !== undefined) return unknown;
  switch (hold.state) {
    case 'captured':
      return end(tx, row, 'charged', null, hold.capturedMinor);
    case 'open': {
      if (declined.includes('release')) {
        // Neither taken nor let go: its time ends it, and a person is called meanwhile.
        await flagHold(tx, hold, 'not released', `late/${row.invoiceId}`, 'attention-needed');
        return end(tx, row, 'invoice', 'declined');
      }
      const isOff = declined.includes('capture') || (await isDisputed(tx, row));
      return placeLate(tx, row, hold, isOff ? 0 : await lockedOpenOf(tx, row));
    }
    case 'declined':
    case 'expired':
      return end(tx, row, 'invoice', 'declined');
    case 'released': {
      if (declined.includes('capture')) return end(tx, row, 'invoice', 'declined');
      if (await isDisputed(tx, row)) return end(tx, row, 'invoice', 'disputed');
      const isOpen = (await lockedOpenOf(tx, row)) > 0;
      return isOpen ? end(tx, row, 'invoice', 'declined') : end(tx, row, 'settled', null);
    }
    case 'pending':
      throw new Error(`Hold ${hold.id} was never asked for.`);
    default:
      return hold.state satisfies never;
  }
}

/** The facts once more: hours may lie between the document and this. */
async function begin(tx: Tx, gateway: GatewayName, row: LateChargeRow): Promise<string | null> {
  const facts = { ...(await factsOf(tx, row)), chargeUntil: row.chargeUntil };
  const reason = lateChargeRefusal(facts, new Date().toISOString());
  if (reason !== null) return end(tx, row, 'invoice', reason);
  const openMinor = await lockedOpenOf(tx, row);
  if (openMinor === 0) return end(tx, row, 'settled', null);
  const asked = await authoriseLate(tx, gateway, row, openMinor);
  if (asked === null) return end(tx, row, 'invoice', 'no-card');
  const { key, holdId } = asked;
  await sql`update rentals.late_charge set state = 'charging', authorisation_id = ${holdId},
    version = version + 1 where invoice_id = ${row.invoiceId}`.execute(tx);
  return key;
}

async function isDisputed(tx: Tx, { rentalId }: LateChargeRow): Promise<boolean> {
  return (await disputeOf(tx, rentalId)) !== undefined;
}

async function openOf(tx: Tx, invoiceId: string): Promise<number> {
  const { rows } = await sql<{ open: number }>`select
    accounting.open_amount(${invoiceId}) as open`.execute(tx);
  return rows[0]?.open ?? 0;
}

/** No payment of the rental comes between this and the order that it leads to. */
async function lockedOpenOf(tx: Tx, { rentalId, invoiceId }: LateChargeRow): Promise<number> {
  await sql`select accounting.lock_money(${rentalId})`.execute(tx);
  return openOf(tx, invoiceId);
}

async function end(
  tx: Tx,
  { invoiceId }: LateChargeRow,
  state: LateChargeState,
  reason: LateChargeReason | null,
  chargedMinor: number | null = null,
): Promise<null> {
  const { rows } = await sql<LateChargeRow>`update rentals.late_charge set state = ${state},
      reason = ${reason}, charged_minor = ${chargedMinor}, ended_at = now(), version = version + 1
    where invoice_id = ${invoiceId} returning ${LATE_CHARGE_COLUMNS}`.execute(tx);
  await tell(tx, rows[0] as LateChargeRow);
  return null;
}

async function tell(tx: Tx, row: LateChargeRow): Promise<void> {
  const { id: lateChargeId, invoiceId, rentalId, branchId, source, state, reason } = row;
  const { chargedMinor, currency, version: sequence } = row;
  const what = { lateChargeId, invoiceId, rentalId, branchId, source };
  const fact = state === 'asked' ? 'asked' : 'ended';
  await publish(tx, {
    type: `forecourt.late-charge.${fact}.v1`,
    ...{ aggregateId: lateChargeId, sequence },
    data: { ...what, state, reason, chargedMinor, currency },
  });
  const subject = { subjectType: 'invoice', subjectId: invoiceId } as const;
  const after = { source, state, reason, chargedMinor };
  await recordAudit(tx, { action: `late-charge.${fact}`, ...subject, after });
}
