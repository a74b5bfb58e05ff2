// A partner's voucher: what it pays of a rental, at the net rate that was agreed with it.
import type { VoucherTerms } from './booking.ts';
import { DomainError } from './errors.ts';
import { addMinor, type Minor } from './money.ts';
import { covers, documentsByPayer, type PayerShare } from './payer-share.ts';
import type { Quote } from './pricing.ts';

/** What a voucher covers that says nothing else. */
export const VOUCHER_COVERS: readonly string[] = ['time'];

/**
 * The net of what a voucher covers, of a rental priced `atNetRate`. Throws `value-refused`, which
 * names what is wrong: it covers nothing, or the partner reckons with another amount.
 */
export function voucherNet(
  atNetRate: Quote,
  voucher: Pick<VoucherTerms, 'covers' | 'netMinor'>,
): Minor {
  // Lines of time change with the due time, so that a part of them is nothing to rely on.
  if (voucher.covers.some((code) => code.startsWith('time.'))) {
    throw refused('covers', 'The time is one: cover all of it, or none.', 0);
  }
  const covered = atNetRate.lines.filter(({ code }) =>
    voucher.covers.some((one) => covers(one, code)),
  );
  const netMinor = addMinor(...covered.map((line) => line.netMinor));
  if (netMinor <= 0) {
    throw refused('covers', 'The voucher covers nothing of this rental.', netMinor);
  }
  if (voucher.netMinor !== undefined && voucher.netMinor !== netMinor) {
    throw refused('netMinor', 'At the agreed rate the voucher comes to another amount.', netMinor);
  }
  return netMinor;
}

/** The renter has what the voucher does not cover. */
export function voucherShares(
  customerId: string,
  payerId: string,
  { covers: codes }: Pick<VoucherTerms, 'covers'>,
  voucherNetMinor: Minor,
): readonly PayerShare[] {
  const rest = { payerId: customerId, kind: 'renter', covers: [], isPrimary: true } as const;
  const voucher = { payerId, kind: 'voucher', covers: codes, isPrimary: false } as const;
  return [
    { ...rest, percentBp: 0, voucherNetMinor: null },
    { ...voucher, percentBp: 0, voucherNetMinor },
  ];
}

/** The part of a price that agreements and letters tell the renter: without a voucher all of it. */
export function rentersPrice(price: Quote, shares: readonly PayerShare[]): Quote {
  if (!shares.some(({ kind }) => kind === 'voucher')) return price;
  const own = documentsByPayer(price, shares).find(({ share }) => share.kind === 'renter');
  const { lines, netMinor, vat, vatMinor, totalMinor } = own ?? NOTHING;
  return { ...price, lines, netMinor, vat, vatMinor, totalMinor };
}

const NOTHING = { lines: [], netMinor: 0, vat: [], vatMinor: 0, totalMinor: 0 } as const;

function refused(name: 'covers' | 'netMinor', message: string, netMinor: Minor): DomainError {
  return new DomainError('value-refused', message, { field: `voucher.${name}`, netMinor });
}
