// The orders that charging a late document to the renter's card takes: a hold for it, then its capture.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { DomainError } from '../../domain/errors.ts';
import type { GatewayName, GatewayOrder } from '../../domain/payments/gateway.ts';
import { capturePostings } from '../../domain/payments/postings.ts';
import type { HoldRow } from '../authorisation-row.ts';
import type { Tx } from '../client.ts';
import { recordAudit } from './audit.ts';
import { cardRefusal } from './card-refusals.ts';
import { checkBooks, postPayment } from './payment-entries.ts';

type Charged = {
  readonly invoiceId: string;
  readonly rentalId: string;
  readonly currency: string;
};

type Kind = GatewayOrder['kind'];
type Orders = { readonly unknown: string | undefined; readonly declined: readonly Kind[] };

/** Of a hold: the one whose outcome is not known, and which kinds the gateway would not do. */
export async function ordersOf(tx: Tx, holdId: string): Promise<Orders> {
  const { rows } = await sql<{ key: string; kind: Kind; state: string }>`select id as key, kind,
      state from rentals.payment_attempt where authorisation_id = ${holdId}`.execute(tx);
  return {
    unknown: rows.find(({ state }) => state === 'unknown')?.key,
    declined: rows.filter(({ state }) => state === 'declined').map(({ kind }) => kind),
  };
}

/**
 * On the card that secured the hire last; null where this gateway keeps none. Throws
 * `invalid-state` for a card that is stopped, and what `checkBooks` throws.
 */
export async function authoriseLate(
  tx: Tx,
  gateway: GatewayName,
  { invoiceId, rentalId, currency }: Charged,
  amountMinor: number,
): Promise<{ readonly key: string; readonly holdId: string } | null> {
  await checkBooks(tx, rentalId, currency);
  const holdId = uuidv7();
  const { rows } = await sql`insert into rentals.authorisation (id, rental_id, purpose, payer,
      gateway, payment_method, amount_minor, currency)
    select ${holdId}, rental_id, 'delayed', 'renter', gateway, payment_method,
      ${amountMinor}::bigint, ${currency}
    from rentals.authorisation where rental_id = ${rentalId} and payer = 'renter'
      and purpose = 'deposit' and gateway = ${gateway} and state not in ('pending', 'declined')
    order by created_at desc, id desc limit 1 returning id`
    .execute(tx)
    .catch((error: unknown) => {
      throw refusalOf(error);
    });
  if (rows.length === 0) return null;
  return { holdId, key: await order(tx, invoiceId, holdId, 'authorise', amountMinor) };
}

/** The window ended just now, or the card is stopped; any other error as it is. */
function refusalOf(error: unknown): unknown {
  const { constraint } = error as { readonly constraint?: string };
  if (constraint !== 'authorisation_agreed') return cardRefusal(error);
  return new DomainError('invalid-state', 'The renter did not agree to this charge, or not now.');
}

/** Takes so much as is open, and never more than is held; gives back where nothing is. */
export function placeLate(
  tx: Tx,
  { invoiceId }: Charged,
  hold: Pick<HoldRow, 'id' | 'amountMinor'>,
  openMinor: number,
): Promise<string> {
  const amountMinor = Math.min(openMinor, hold.amountMinor);
  return amountMinor > 0
    ? order(tx, invoiceId, hold.id, 'capture', amountMinor)
    : order(tx, invoiceId, hold.id, 'release', null);
}

async function order(
  tx: Tx,
  invoiceId: string,
  holdId: string,
  kind: Kind,
  amountMinor: number | null,
): Promise<string> {
  const key = `late/${invoiceId}/${kind}`;
  await sql`insert into rentals.payment_attempt (id, authorisation_id, kind, amount_minor)
    values (${key}, ${holdId}, ${kind}, ${amountMinor})`.execute(tx);
  await recordAudit(tx, {
    ...{ action: `late-charge.${kind}`, subjectType: 'authorisation', subjectId: holdId },
    commandId: key,
    after: { invoiceId, amountMinor },
  });
  return key;
}

/**
 * Dr PSP clearing / Cr receivables, for its own document first. What was paid otherwise while the
 * gateway was asked stays in receivables, and is owed back. Answers the entry's id.
 */
export async function postLateCapture(
  tx: Tx,
  { id, rentalId, currency }: HoldRow,
  key: string,
  amountMinor: number,
): Promise<string> {
  // By itself: what is open is read as it is after the wait for it.
  await sql`select accounting.lock_money(${rentalId})`.execute(tx);
  const { rows } = await sql<{ invoiceId: string; open: number }>`select invoice_id as "invoiceId",
      accounting.open_amount(invoice_id) as open
    from rentals.late_charge where authorisation_id = ${id}`.execute(tx);
  const [document] = rows;
  if (document === undefined) throw new Error(`Hold ${id} is for no document.`);
  const postings = capturePostings({ currency, amountMinor, owedMinor: amountMinor });
  const moved = { key, rentalId, currency, source: 'payment.capture', postings } as const;
  const entryId = await postPayment(tx, moved);
  const paid = Math.min(amountMinor, document.open);
  if (paid > 0) {
    await sql`select accounting.apply_to_invoice(${document.invoiceId}, ${entryId},
      ${paid})`.execute(tx);
  }
  return entryId;
}
