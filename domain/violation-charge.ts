// What a renter pays for a toll or a fine: the amount, the administration fee, and by which way.
import { DomainError } from './errors.ts';
import { addMinor, type Minor, multiplyRatio } from './money.ts';
import type { ViolationKind } from './violation.ts';

/** What a legal entity charges, and how it treats tolls; amounts net, in minor units of `currency`. */
export type ViolationTerms = {
  readonly currency: string;
  readonly fineFeeMinor: Minor;
  readonly tollFeeMinor: Minor;
  /** Of the fees, and of tolls that are part of the hire. */
  readonly vatRateBp: number;
  readonly tollTreatment: TollTreatment;
  /** How long after the return a card may be charged at all. */
  readonly cardWindowDays: number;
};

export const TOLL_TREATMENTS = ['taxable', 'disbursement'] as const;
/** A taxable part of the hire, or passed on for the renter without VAT (decisions.md 21). */
export type TollTreatment = (typeof TOLL_TREATMENTS)[number];

export const SETTLEMENTS = ['nominate', 'recharge'] as const;
/** The driver is named to the authority, or we have paid and charge it on. */
export type Settlement = (typeof SETTLEMENTS)[number];

export type LateCharge = {
  readonly currency: string;
  readonly kind: ViolationKind;
  /** Collected for the authority: no revenue, no VAT. */
  readonly passedOnMinor: Minor;
  /** Sold with the hire: revenue with VAT. */
  readonly tollMinor: Minor;
  readonly feeMinor: Minor;
  readonly vatRateBp: number;
  readonly vatMinor: Minor;
};

type Charged = {
  readonly kind: ViolationKind;
  readonly amountMinor: Minor;
  readonly currency: string;
};

/**
 * A fine that the driver is nominated for costs the fee alone; one that we paid is passed on besides.
 * VAT once on the sum of what is taxed (decisions.md 11). Throws `value-refused` for a toll with a
 * nomination, `currency-mismatch` when the terms are in another one.
 */
export function lateChargeOf(charged: Charged, way: Settlement, terms: ViolationTerms): LateCharge {
  const { kind, amountMinor, currency } = charged;
  if (kind === 'toll' && way === 'nominate') {
    throw new DomainError('value-refused', 'A driver is nominated for fines, not for tolls.', {
      kind,
    });
  }
  if (currency !== terms.currency) {
    throw new DomainError('currency-mismatch', 'Late invoices are in the entity’s own currency.', {
      currency,
      expected: terms.currency,
    });
  }
  const isSold = kind === 'toll' && terms.tollTreatment === 'taxable';
  const due = way === 'recharge' ? amountMinor : 0;
  const tollMinor = isSold ? due : 0;
  const feeMinor = kind === 'toll' ? terms.tollFeeMinor : terms.fineFeeMinor;
  const { vatRateBp } = terms;
  return {
    currency,
    kind,
    passedOnMinor: isSold ? 0 : due,
    tollMinor,
    feeMinor,
    vatRateBp,
    vatMinor: multiplyRatio(addMinor(tollMinor, feeMinor), vatRateBp, 10_000),
  };
}

type Line = {
  readonly code: string;
  readonly quantity: number;
  readonly unitMinor: Minor;
  readonly netMinor: Minor;
  readonly vatRateBp: number;
};

/** The charge as an invoice shows it; without a line when there is nothing to pay. */
export function lateDocumentOf(charge: LateCharge) {
  const lines = [
    lineOf(`violation.${charge.kind}`, charge.passedOnMinor, 0),
    lineOf('violation.toll', charge.tollMinor, charge.vatRateBp),
    lineOf('violation.admin-fee', charge.feeMinor, charge.vatRateBp),
  ].filter(({ netMinor }) => netMinor > 0);
  const vat = [...new Set(lines.map((line) => line.vatRateBp))].map((rateBp) => ({
    rateBp,
    baseMinor: addMinor(
      ...lines.filter((line) => line.vatRateBp === rateBp).map((line) => line.netMinor),
    ),
    vatMinor: rateBp === 0 ? 0 : charge.vatMinor,
  }));
  const netMinor = addMinor(...lines.map((line) => line.netMinor));
  const { currency, vatMinor } = charge;
  return { currency, lines, vat, netMinor, vatMinor, totalMinor: addMinor(netMinor, vatMinor) };
}

function lineOf(code: string, netMinor: Minor, vatRateBp: number): Line {
  return { code, quantity: 1, unitMinor: netMinor, netMinor, vatRateBp };
}
