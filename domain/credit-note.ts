// Credit notes: what is left of a document, what is taken back of it, and the entry that undoes it.
import { DomainError } from './errors.ts';
import { ACCOUNT, balanced, credit, legsIn, type Posting } from './ledger.ts';
import { addMinor, type Minor, roundHalfAwayFromZero } from './money.ts';

export const CREDIT_REASONS = ['goodwill', 'billing-error', 'service-failure', 'other'] as const;

/** A document as it was issued and as it is left; amounts in minor units of `currency`. */
export type Creditable = {
  readonly currency: string;
  readonly lines: readonly {
    readonly lineNo: number;
    readonly code: string;
    readonly netMinor: Minor;
    readonly leftMinor: Minor;
    readonly vatRateBp: number;
  }[];
  readonly taxes: readonly TaxLeft[];
  /** What its entry credited, by account, less what credit notes took back. */
  readonly accounts: readonly { readonly account: string; readonly leftMinor: Minor }[];
};

export type TaxLeft = {
  readonly rateBp: number;
  readonly baseMinor: Minor;
  readonly vatMinor: Minor;
  readonly leftBaseMinor: Minor;
  readonly leftVatMinor: Minor;
};

/** Net amounts to take back, of the document's own lines. */
export type CreditedLine = { readonly lineNo: number; readonly netMinor: Minor };

export type CreditNote = {
  readonly netMinor: Minor;
  readonly vatMinor: Minor;
  readonly totalMinor: Minor;
  readonly lines: readonly {
    readonly code: string;
    readonly creditsLine: number;
    readonly netMinor: Minor;
    readonly vatRateBp: number;
  }[];
  readonly taxes: readonly {
    readonly rateBp: number;
    readonly baseMinor: Minor;
    readonly vatMinor: Minor;
  }[];
  /** Dr what the document credited / Cr receivables. */
  readonly postings: readonly Posting[];
};

const WHOLE_BP = 10_000;

/**
 * The credit note of `asked`, or of all that is left (decisions.md 14, 18). Its parts of one document
 * sum to that document, its VAT included. Throws `invalid-state` when nothing is left,
 * `amount-too-high` for more than is left of a line, `value-refused` for a line that is not there.
 */
export function creditNoteOf(document: Creditable, asked?: readonly CreditedLine[]): CreditNote {
  const lines = asked === undefined ? allLeft(document) : linesOf(document, asked);
  if (lines.length === 0) {
    throw new DomainError('invalid-state', 'Nothing of this invoice is left to credit.');
  }
  const rates = [...new Set(lines.map((line) => line.vatRateBp))];
  const taxes = rates.map((rateBp) => {
    const ofRate = lines.filter((line) => line.vatRateBp === rateBp);
    const baseMinor = addMinor(...ofRate.map((line) => line.netMinor));
    const tax = document.taxes.find((one) => one.rateBp === rateBp);
    if (tax === undefined) throw new Error(`A document without its VAT at ${rateBp}.`);
    return { rateBp, baseMinor, vatMinor: vatOfPart(tax, baseMinor) };
  });
  const netMinor = addMinor(...lines.map((line) => line.netMinor));
  const vatMinor = addMinor(...taxes.map((tax) => tax.vatMinor));
  const totalMinor = addMinor(netMinor, vatMinor);
  if (totalMinor <= 0) {
    throw new DomainError('value-refused', 'A credit note gives something back.', { totalMinor });
  }
  const postings = postingsOf(document, lines, { netMinor, vatMinor, totalMinor });
  return { netMinor, vatMinor, totalMinor, lines, taxes, postings };
}

/**
 * The VAT of a part that is taken of what is left, so that the last part takes exactly the rest and
 * none is further than one minor unit from its own rate (EN 16931 BR-CO-17).
 */
export function vatOfPart(tax: TaxLeft, baseMinor: Minor): Minor {
  const { rateBp, leftBaseMinor, leftVatMinor } = tax;
  if (baseMinor === leftBaseMinor) return leftVatMinor;
  const taken = tax.vatMinor - leftVatMinor;
  const base = BigInt(tax.baseMinor - leftBaseMinor + baseMinor);
  // Prices that include VAT leave a document's VAT beside its rate: half of that to either side.
  const beside = BigInt(tax.vatMinor) * BigInt(WHOLE_BP) - BigInt(tax.baseMinor) * BigInt(rateBp);
  const above = 2n * base * BigInt(rateBp) + beside;
  const sum = roundHalfAwayFromZero(above, 2 * WHOLE_BP);
  return within(sum - taken, leftVatMinor);
}

/** Between nothing and `limit`, on whichever side of zero that is. */
function within(amount: Minor, limit: Minor): Minor {
  return limit < 0 ? Math.min(0, Math.max(limit, amount)) : Math.max(0, Math.min(limit, amount));
}

type Lines = CreditNote['lines'];

/** A prepayment that was deducted but for a cent of its VAT has a line of no net amount left. */
function allLeft({ lines, taxes }: Creditable): Lines {
  const vatLeft = (rateBp: number) => taxes.find((tax) => tax.rateBp === rateBp)?.leftVatMinor;
  return lines.flatMap(({ code, lineNo, leftMinor, vatRateBp }, index) => {
    const ofRate = lines.filter((line) => line.vatRateBp === vatRateBp);
    const isVatAlone =
      ofRate.every((line) => line.leftMinor === 0) &&
      ofRate[0] === lines[index] &&
      vatLeft(vatRateBp);
    if (leftMinor === 0 && !isVatAlone) return [];
    return [{ code, creditsLine: lineNo, netMinor: leftMinor, vatRateBp }];
  });
}

function linesOf({ lines }: Creditable, asked: readonly CreditedLine[]): Lines {
  return asked.map(({ lineNo, netMinor }, index) => {
    const line = lines.find((one) => one.lineNo === lineNo);
    const isNamedTwice = asked.findIndex((one) => one.lineNo === lineNo) !== index;
    if (line === undefined || isNamedTwice || netMinor === 0) {
      throw new DomainError('value-refused', 'Name lines of the invoice, each once.', { lineNo });
    }
    if (within(netMinor, line.leftMinor) !== netMinor) {
      throw new DomainError('amount-too-high', 'Less than that is left of the line.', {
        lineNo,
        limitMinor: line.leftMinor,
      });
    }
    return { code: line.code, creditsLine: lineNo, netMinor, vatRateBp: line.vatRateBp };
  });
}

/** Accounts of lines in a document with several: tolls and fines that are charged on. */
const ACCOUNT_OF_LINE: Readonly<Record<string, string>> = {
  'violation.fine': ACCOUNT.authorityPayable,
  'violation.admin-fee': ACCOUNT.adminFees,
};

function postingsOf(
  { currency, accounts }: Creditable,
  lines: Lines,
  { netMinor, vatMinor, totalMinor }: Pick<CreditNote, 'netMinor' | 'vatMinor' | 'totalMinor'>,
): readonly Posting[] {
  const leg = legsIn(currency);
  const given = accounts.filter(
    ({ account, leftMinor }) => account !== ACCOUNT.vatPayable && leftMinor > 0,
  );
  const [only] = given;
  const isWhole = netMinor === addMinor(...given.map(({ leftMinor }) => leftMinor));
  const parts = isWhole
    ? given.map(({ account, leftMinor }) => leg(account, leftMinor))
    : given.length === 1 && only !== undefined
      ? [leg(only.account, netMinor)]
      : lines.map((line) => leg(accountOf(line), line.netMinor));
  const vat = leg(ACCOUNT.vatPayable, vatMinor);
  const owed = leg(ACCOUNT.receivables, credit(totalMinor));
  return balanced([...parts, vat, owed].filter(({ amountMinor }) => amountMinor !== 0));
}

/** A toll is passed on without VAT, or sold with the hire. */
function accountOf({ code, vatRateBp }: Lines[number]): string {
  if (code === 'violation.toll') {
    return vatRateBp === 0 ? ACCOUNT.authorityPayable : ACCOUNT.tollRecharges;
  }
  return ACCOUNT_OF_LINE[code] ?? ACCOUNT.rentalRevenue;
}
