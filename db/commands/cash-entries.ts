// Entries of money that people hand over: posted, moved in a drawer, and refused by name.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { DomainError, type DomainErrorCode } from '../../domain/errors.ts';
import type { Posting } from '../../domain/ledger.ts';
import { checkCash, refundTender, type Tender } from '../../domain/payments/tenders.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import { named } from './ledger-refusals.ts';

export type CashEntry = {
  /** Of the fact; the same key is the same entry for ever. */
  readonly key: string;
  readonly entityId: string;
  readonly source: string;
  readonly rentalId?: string | null;
  readonly postings: readonly Posting[];
};

/** In the role accounting_rw: answers the entry's id. Throws like `postEntry`. */
export async function postCashEntry(tx: Tx, entry: CashEntry): Promise<string> {
  const { key: idempotencyKey, rentalId, ...asked } = entry;
  const effectiveAt = new Date().toISOString();
  const request = {
    ...{ ...asked, id: uuidv7(), idempotencyKey, effectiveAt },
    ...(rentalId != null && { rentalId }),
  };
  const { rows: made } = await named(() =>
    sql<{ id: string }>`select accounting.post_entry(${JSON.stringify(request)}::jsonb)
      as id`.execute(tx),
  );
  const { rows } = await sql<{ entryId: string; postingDate: string }>`
    select id as "entryId", posting_date as "postingDate" from accounting.entry
    where id = ${made[0]?.id}`.execute(tx);
  const posted = rows[0];
  if (posted === undefined) throw new Error('post_entry answered nothing.');
  const { entityId, source } = entry;
  await publish(tx, {
    type: 'forecourt.entry.posted.v1',
    aggregateId: posted.entryId,
    sequence: 1,
    data: { ...posted, entityId, source },
  });
  return posted.entryId;
}

export type CashMove = {
  readonly shiftId: string;
  readonly kind:
    | 'float'
    | 'payment'
    | 'prepayment'
    | 'deposit'
    | 'refund'
    | 'drop'
    | 'difference'
    | 'handed-in';
  /** Into the drawer above zero. */
  readonly amountMinor: number;
  readonly entryId: string;
};

/** In the roles accounting_rw and rentals_rw. Refused outside an open shift: see `inDrawer`. */
export async function moveCash(tx: Tx, move: CashMove): Promise<void> {
  await sql`select accounting.move_cash(${move.shiftId}, ${move.kind}, ${move.amountMinor},
    ${move.entryId})`.execute(tx);
}

export type GivenBack<T extends Tender> = {
  readonly entityId: string;
  readonly paidBy: T;
  readonly amountMinor: number;
  /** Of the same payment before, in cash. */
  readonly givenMinor: number;
  /** Where cash goes out. */
  readonly shiftId: string | null;
};

/**
 * What money goes back by, by the entity's terms (decisions.md 27). Throws `value-refused` for cash
 * that coins cannot make, and without a shift.
 */
export async function tenderBack<T extends Tender>(
  tx: Tx,
  { entityId, paidBy, amountMinor, givenMinor, shiftId }: GivenBack<T>,
): Promise<T | 'bank-transfer'> {
  const { rows } = await sql<{ limit: number; coin: number }>`select cash_refund_minor as limit,
    rounding_minor as coin from accounting.cash_terms_of(${entityId})`.execute(tx);
  const { limit = 0, coin = 1 } = rows[0] ?? {};
  const tender = refundTender(paidBy, amountMinor, givenMinor, limit);
  if (tender !== 'cash') return tender;
  checkCash(amountMinor, coin);
  if (shiftId !== null) return tender;
  throw new DomainError('value-refused', 'Cash goes out of a shift: name it.');
}

/** What the database refuses by itself (migrations 0165 to 0169, 0183 and 0226), by its guard. */
const REFUSALS: Readonly<Record<string, readonly [DomainErrorCode, string]>> = {
  open_item_never_over_applied: ['amount-too-high', 'Less than that is open of the document.'],
  cash_in_open_shift: ['invalid-state', 'The drawer has no open shift: open one first.'],
  cash_in_coins: ['value-refused', 'Cash is rounded: take a multiple of the smallest coin.'],
  cash_as_posted: ['value-refused', 'This drawer is another legal entity’s: name one of its own.'],
  cash_there_is: ['amount-too-high', 'There is less in the drawer.'],
  branch_day_closed: ['day-closed', 'The branch’s day is closed: begin with the next one.'],
  branch_day_transition: ['invalid-state', 'The last closed day alone is opened again.'],
  branch_day_shifts_verified: ['day-not-finished', 'A shift of this day is not verified.'],
  branch_day_slips_counted: ['day-not-finished', 'Slips of a terminal are not counted.'],
  drawer_shift_one_open: ['duplicate', 'This drawer has an open shift already.'],
  drawer_shift_reason: ['value-refused', 'Say how this difference came about.'],
  drawer_shift_manager: ['four-eyes', 'Such a difference is closed by a manager.'],
  drawer_shift_manager_is_another: ['four-eyes', 'A manager who did not count closes it.'],
  drawer_shift_four_eyes: ['four-eyes', 'Somebody who did not count verifies it.'],
  branch_safe_never_below_zero: ['amount-too-high', 'There is less in the branch’s safe.'],
  cash_in_transit_four_eyes: ['four-eyes', 'Somebody who did not send it matches it.'],
  cash_in_transit_entity_id_bag_key: ['duplicate', 'A bag of this number was sent before.'],
  payment_within_cash_limit: ['amount-too-high', 'The law allows no more cash for one rental.'],
  payment_refunded_within: ['amount-too-high', 'No more goes back than was paid.'],
  money_on_account_never_overdrawn: ['amount-too-high', 'There is less on the customer’s account.'],
  refund_of_what_it_paid: ['amount-too-high', 'The rest of it has paid another document.'],
  refund_in_its_tender: ['value-refused', 'Money goes back the way it came.'],
  refund_in_cash_is_small: ['value-refused', 'So much goes back by bank transfer.'],
};

/** Turns the drawers' own refusals into the domain's; anything else is passed on. */
export async function inDrawer<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { constraint } = error as { readonly constraint?: string };
    const refusal = REFUSALS[constraint ?? ''];
    if (refusal === undefined) throw error;
    const [code, message] = refusal;
    throw new DomainError(code, message);
  }
}
