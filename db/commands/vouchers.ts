// Vouchers of partners: what one pays of a rental is reckoned with the rental's own price and plan.
import { sql } from 'kysely';
import type { VoucherTerms } from '../../domain/booking.ts';
import { DomainError } from '../../domain/errors.ts';
import { coveredBy, type PayerShare } from '../../domain/payer-share.ts';
import { feesOf, quote } from '../../domain/pricing.ts';
import { voucherNet, voucherShares } from '../../domain/voucher.ts';
import type { Tx } from '../client.ts';
import { payerSharesOf } from './payer-documents.ts';
import { splitBetween } from './payer-shares.ts';
import { lockRental, ratingOf } from './rental-update.ts';

/**
 * Splits a rental that was just booked or changed between voucher and renter (decisions.md 43). The
 * net rate is of the plan version that prices the rental, so that both change together or not at
 * all. A change renews that payer's voucher, by what its share covers by now, and no other. Throws
 * `value-refused` for what the voucher does not come to or the plan does not know, `credit-limit` of
 * its payer, `not-found` without that payer.
 */
export async function bindVoucher(tx: Tx, rentalId: string, voucher: VoucherTerms): Promise<void> {
  const row = await lockRental(tx, rentalId);
  const shares = await payerSharesOf(tx, rentalId);
  // Set anew at a desk without the voucher: that stands.
  if (shares.length > 0 && !shares.some(isVoucher)) return;
  const { payerId, records, version } = await known(tx, rentalId, voucher.payerId);
  const own = shares.find((one) => isVoucher(one) && records.includes(one.payerId));
  if (shares.length > 0 && own === undefined) return;
  const { rating } = await ratingOf(tx, row, row.due_at);
  const { booked, downgrade: _, ...priced } = rating;
  const atNetRate = quote({
    ...booked.chosen,
    ...priced,
    returnAt: row.due_at,
    fees: feesOf(booked),
    rate: voucher.rate,
    // The agreed rate is the partner's price, whatever is promised to renters.
    promotion: undefined,
  });
  const { covers } = own ?? voucher;
  const netMinor = voucherNet(atNetRate, { covers, netMinor: voucher.netMinor });
  const renewed = (one: PayerShare) => {
    const coveredMinor = coveredBy(row.price.lines, one, shares);
    return {
      ...one,
      voucherNetMinor: netMinor,
      coveredMinor: coveredMinor > 0 ? coveredMinor : null,
    };
  };
  const next =
    own === undefined
      ? voucherShares(row.customer_id, payerId, voucher, netMinor)
      : shares.map((one) => (one === own ? renewed(one) : one));
  await splitBetween(tx, { rentalId, branchId: row.branch_id, shares: next }, version);
}

function isVoucher({ kind }: PayerShare): boolean {
  return kind === 'voucher';
}

type Known = {
  readonly payerId: string;
  /** Of that one and of whoever it was booked with, and those that were merged into either. */
  readonly records: readonly string[];
  readonly isBlocked: boolean;
  readonly version: number | null;
};

/** The record that stands for the payer now, and the split that is replaced, if any. */
async function known(tx: Tx, rentalId: string, payerId: string): Promise<Known> {
  const { rows } = await sql<Known>`select coalesce(c.merged_into, c.id) as "payerId",
      array(select d.id from rentals.customer d join rentals.customer m
          on d.id = coalesce(m.merged_into, m.id) or d.merged_into = coalesce(m.merged_into, m.id)
        where m.id = c.id or m.id = (select s.payer_id from rentals.payer_share s
          join rentals.partner_booking b using (rental_id)
          where rental_id = ${rentalId} and s.version = 1 and s.kind = 'voucher'
            and b.voucher_rate is not null))::text[] as records,
      exists (select from rentals.customer_block b
        where b.customer_id = coalesce(c.merged_into, c.id) and b.lifted_at is null
          and (b.until is null or b.until > now())) as "isBlocked",
      (select p.version from rentals.payer_split p where p.rental_id = ${rentalId}) as version
    from rentals.customer c where c.id = ${payerId}`.execute(tx);
  const [payer] = rows;
  if (payer?.isBlocked) {
    const details = { customerId: payer.payerId };
    throw new DomainError('customer-blocked', 'Nothing is invoiced to this company.', details);
  }
  if (payer !== undefined) return payer;
  throw new DomainError('not-found', 'There is no such payer.', { of: 'payer' });
}
