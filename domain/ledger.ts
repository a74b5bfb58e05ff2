// Posting rules: which accounts a fact of the trade touches, as entries whose debits equal credits.
import { DomainError } from './errors.ts';
import { addMinor, type Minor } from './money.ts';

export type AccountType = 'asset' | 'liability' | 'equity' | 'income' | 'expense';

/** An account of a legal entity; `currency` null holds any. */
export type Account = {
  readonly code: string;
  readonly name: string;
  readonly type: AccountType;
  readonly currency: string | null;
  /**
   * Whether its balance is kept row by row. Off where many entries meet (receivables, revenue,
   * VAT, clearing): they would wait for each other on that row.
   */
  readonly liveBalance: boolean;
};

/** A company that keeps books: amounts are measured in its functional currency. */
export type LegalEntity = {
  readonly id: string;
  readonly name: string;
  readonly functionalCurrency: string;
  /** IANA name: its days and months begin by this clock. */
  readonly timeZone: string;
};

/** The accounts that posting rules name, by their code in every entity's chart. */
export const ACCOUNT = {
  cashInDrawers: '1000',
  cashInSafes: '1005',
  cashInTransit: '1006',
  bank: '1010',
  pspClearing: '1020',
  receivables: '1200',
  disputedReceivables: '1210',
  insuranceClaims: '1230',
  unbilled: '1300',
  customerPrepayments: '2100',
  accruedSuppliers: '2110',
  authorityPayable: '2130',
  securityDeposits: '2120',
  agentPayable: '2140',
  moneyOnAccount: '2160',
  vatPayable: '2200',
  deferredRevenue: '2300',
  rentalRevenue: '4000',
  cancellationIncome: '4400',
  adminFees: '4200',
  tollRecharges: '4210',
  damageRecoveries: '4300',
  walkCost: '5300',
  paymentFees: '5400',
  badDebt: '5410',
  cashOverShort: '5420',
  cashRounding: '5430',
  commissions: '5500',
} as const;

/** The demo company's chart of accounts. */
export const DEMO_CHART: readonly Account[] = [
  account(ACCOUNT.cashInDrawers, 'Cash in drawers', 'asset', false),
  account(ACCOUNT.cashInSafes, 'Cash in safes', 'asset', false),
  account(ACCOUNT.cashInTransit, 'Cash in transit', 'asset', true),
  account(ACCOUNT.bank, 'Bank', 'asset', true),
  account(ACCOUNT.pspClearing, 'Card payments in clearing', 'asset', false),
  account(ACCOUNT.receivables, 'Trade receivables', 'asset', false),
  account(ACCOUNT.disputedReceivables, 'Disputed card payments', 'asset', true),
  account(ACCOUNT.insuranceClaims, 'Insurance claims', 'asset', false),
  account(ACCOUNT.unbilled, 'Unbilled rental revenue', 'asset', false),
  account(ACCOUNT.customerPrepayments, 'Customer prepayments', 'liability', false),
  account(ACCOUNT.accruedSuppliers, 'Accrued suppliers', 'liability', true),
  account(ACCOUNT.securityDeposits, 'Security deposits of renters', 'liability', false),
  account(ACCOUNT.authorityPayable, 'Fines and tolls to pass on', 'liability', false),
  account(ACCOUNT.agentPayable, 'Commissions owed to agents', 'liability', false),
  account(ACCOUNT.moneyOnAccount, 'Customers’ money on account', 'liability', false),
  account(ACCOUNT.vatPayable, 'VAT payable', 'liability', false),
  account(ACCOUNT.deferredRevenue, 'Deferred rental revenue', 'liability', false),
  account(ACCOUNT.rentalRevenue, 'Rental revenue', 'income', false),
  account(ACCOUNT.cancellationIncome, 'Cancellation income', 'income', false),
  account(ACCOUNT.adminFees, 'Administration fees', 'income', false),
  account(ACCOUNT.tollRecharges, 'Tolls charged on', 'income', false),
  account(ACCOUNT.damageRecoveries, 'Damage recoveries', 'income', false),
  account(ACCOUNT.walkCost, 'Renters walked to competitors', 'expense', true),
  account(ACCOUNT.paymentFees, 'Fees of payment gateways', 'expense', true),
  account(ACCOUNT.badDebt, 'Bad debt', 'expense', true),
  account(ACCOUNT.cashOverShort, 'Cash over and short', 'expense', true),
  account(ACCOUNT.cashRounding, 'Cash rounding', 'expense', true),
  account(ACCOUNT.commissions, 'Commissions of agents', 'expense', false),
];

function account(code: string, name: string, type: AccountType, liveBalance: boolean): Account {
  return { code, name, type, currency: null, liveBalance };
}

/**
 * One leg of an entry: debit above zero, credit below. `baseMinor` is the same amount in the
 * entity's functional currency; a leg of 0.00 with a base amount is an exchange difference.
 */
export type Posting = {
  readonly account: string;
  readonly currency: string;
  readonly amountMinor: Minor;
  readonly baseMinor: Minor;
};

/** What is asked of the ledger. Instants are ISO 8601 in UTC, dates local to the entity. */
export type NewEntry = {
  readonly entityId: string;
  /** When the fact happened; the posting date may be later when its month is closed. */
  readonly effectiveAt: string;
  /**
   * Demands this very date; left out, it is today by the entity's clock, or the first day of the
   * next open month.
   */
  readonly postingDate?: string;
  /** Built from business ids: the same fact has the same key, whoever repeats it. */
  readonly idempotencyKey: string;
  readonly source: string;
  readonly rentalId?: string;
  readonly reverses?: string;
  readonly intercompanyId?: string;
  readonly postings: readonly Posting[];
};

/**
 * Answers the postings when they make an entry: at least two, none empty, debits equal to credits
 * per currency and in the functional currency. Throws `unbalanced` otherwise.
 */
export function balanced(postings: readonly Posting[]): readonly Posting[] {
  if (postings.length < 2) throw unbalanced('An entry needs at least two postings.');
  if (postings.some((p) => p.amountMinor === 0 && p.baseMinor === 0)) {
    throw unbalanced('A posting of nothing is none.');
  }
  for (const currency of new Set(postings.map((p) => p.currency))) {
    const own = postings.filter((p) => p.currency === currency).map((p) => p.amountMinor);
    if (addMinor(...own) !== 0) throw unbalanced('Debits and credits differ.', { currency });
  }
  if (addMinor(...postings.map((p) => p.baseMinor)) !== 0) {
    throw unbalanced('Debits and credits differ in the functional currency.');
  }
  return postings;
}

function unbalanced(message: string, details: Readonly<Record<string, string>> = {}): DomainError {
  return new DomainError('unbalanced', message, details);
}

/** The amounts of a document in its entity's functional currency. */
export type InvoiceAmounts = {
  readonly currency: string;
  readonly netMinor: Minor;
  readonly vat: readonly { readonly rateBp: number; readonly vatMinor: Minor }[];
  readonly totalMinor: Minor;
};

/**
 * A rental's final invoice: Dr receivables with what the customer owes, Cr revenue with the net
 * amount, Cr VAT payable a posting per rate (decisions.md 14, without prepayments). Amounts of zero
 * post nothing. Throws `unbalanced` when net and VAT do not make the total.
 */
export function finalInvoicePostings(
  invoice: InvoiceAmounts,
  accounts: Readonly<Record<'receivables' | 'rentalRevenue' | 'vatPayable', string>> = ACCOUNT,
): readonly Posting[] {
  const leg = legsIn(invoice.currency);
  return balanced(
    [
      leg(accounts.receivables, invoice.totalMinor),
      leg(accounts.rentalRevenue, credit(invoice.netMinor)),
      ...invoice.vat.map((tax) => leg(accounts.vatPayable, credit(tax.vatMinor))),
    ].filter((posting) => posting.amountMinor !== 0),
  );
}

/**
 * A rental that does not take place (decisions.md 18): Dr receivables with the gross fee, Cr
 * cancellation income, Cr VAT payable where the entity's fee is consideration for a place kept.
 */
export function cancellationPostings(invoice: InvoiceAmounts): readonly Posting[] {
  return finalInvoicePostings(invoice, { ...ACCOUNT, rentalRevenue: ACCOUNT.cancellationIncome });
}

/**
 * A renter walked to a competitor (decisions.md 1): Dr the cost of walks / Cr accrued suppliers, until
 * the competitor's invoice comes. Net, in the entity's functional currency. Throws `unbalanced` for
 * a walk that costs nothing.
 */
export function walkPostings(
  walk: { readonly currency: string; readonly costMinor: Minor },
  accounts: Pick<typeof ACCOUNT, 'walkCost' | 'accruedSuppliers'> = ACCOUNT,
): readonly Posting[] {
  const leg = legsIn(walk.currency);
  return balanced([
    leg(accounts.walkCost, walk.costMinor),
    leg(accounts.accruedSuppliers, credit(walk.costMinor)),
  ]);
}

/** Legs in the functional currency. */
export function legsIn(currency: string): (code: string, amountMinor: Minor) => Posting {
  return (code, amountMinor) => ({ account: code, currency, amountMinor, baseMinor: amountMinor });
}

/** The postings that undo others, leg by leg: the only correction of a posted entry. */
export function reversalPostings(postings: readonly Posting[]): readonly Posting[] {
  return balanced(
    postings.map((posting) => ({
      ...posting,
      amountMinor: credit(posting.amountMinor),
      baseMinor: credit(posting.baseMinor),
    })),
  );
}

export function credit(amount: Minor): Minor {
  return amount === 0 ? 0 : -amount;
}
