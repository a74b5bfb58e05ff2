// Commissions of agents: what the lines of a rental's documents earn, and their entries (decisions.md 43).
import { ACCOUNT, balanced, credit, legsIn, type Posting } from './ledger.ts';
import { addMinor, allocate, type Minor, multiplyRatio } from './money.ts';
import { covers } from './payer-share.ts';

/** What an agent earns on, unless something else was agreed: time less its discounts, and mileage. */
export const COMMISSIONABLE: readonly string[] = ['time', 'mileage'];

/** Parts of the price that a commission may be agreed on. */
export const COMMISSION_PARTS = [
  ...['time', 'coverage', 'extra', 'driver', 'one-way'],
  ...['fee', 'surcharge', 'mileage', 'fuel', 'percentage'],
] as const;

export const HIGHEST_COMMISSION_BP = 5_000;

export type CommissionTerms = {
  /** Hundredths of a per cent, of net amounts. */
  readonly rateBp: number;
  /** Codes of lines, or their first part. */
  readonly kinds: readonly string[];
};

type Line = { readonly code: string; readonly netMinor: Minor };

/** What a rental earned so far, and the invoices of its hire that were just issued. */
export type Earned = {
  /** Without what people gave back: a price that is worked out anew leaves that as it is. */
  readonly ratedBaseMinor: Minor;
  readonly baseMinor: Minor;
  readonly amountMinor: Minor;
  /** Takes a difference that no new document carries. */
  readonly newest: string | null;
  readonly documents: readonly {
    readonly documentId: string;
    readonly netMinor: Minor;
    readonly lines: readonly Line[];
  }[];
};

/** Of one document; below zero the agent is owed less. */
export type Commission = {
  readonly documentId: string;
  readonly baseMinor: Minor;
  readonly amountMinor: Minor;
};

const WHOLE_BP = 10_000;

/** Net, with discounts taken off. */
export function commissionable(lines: readonly Line[], kinds: readonly string[]): Minor {
  const own = lines.filter(({ code }) => kinds.some((kind) => covers(kind, soldAs(code))));
  return addMinor(...own.map(({ netMinor }) => netMinor));
}

/** What is beyond a voucher was sold as what it is. */
function soldAs(code: string): string {
  return code.replace(/^beyond\./, '');
}

/**
 * What a price adds to what was earned before, by document: each by its own lines, or, where documents
 * deduct what was billed in earlier cycles, by their shares of the difference. `price` holds the lines
 * of the whole price so far. Rounded over the rental as a whole, so that no cent is lost.
 */
export function ratedCommission(
  { rateBp, kinds }: CommissionTerms,
  earned: Earned,
  price: readonly Line[],
): readonly Commission[] {
  const { documents, newest } = earned;
  const difference = commissionable(price, kinds) - earned.ratedBaseMinor;
  const own = documents.map(({ lines }) => commissionable(lines, kinds));
  const isOwn = addMinor(...own) === difference;
  if (documents.length > 0) {
    const parts = isOwn ? own : shared(difference, documents);
    return atRate(
      rateBp,
      earned,
      documents.map(({ documentId }, index) => ({ documentId, baseMinor: parts[index] ?? 0 })),
    );
  }
  if (newest === null) return [];
  return atRate(rateBp, earned, [{ documentId: newest, baseMinor: difference }]);
}

/** By net amounts; documents of nothing have equal shares. */
function shared(total: Minor, documents: Earned['documents']): readonly Minor[] {
  const weights = documents.map(({ netMinor }) => Math.max(0, netMinor));
  return allocate(total, weights.some((weight) => weight > 0) ? weights : weights.map(() => 1));
}

export type NoteCommission = Omit<Earned, 'documents' | 'newest' | 'ratedBaseMinor'> &
  CommissionTerms & {
    /** Of the invoice that it credits, before it. */
    readonly leftBaseMinor: Minor;
    readonly leftNetMinor: Minor;
    /** Of the note itself. */
    readonly netMinor: Minor;
    readonly lines: readonly Line[];
    /** The invoice deducts what was billed before, so that its lines say more than it charges. */
    readonly isBilledPart: boolean;
  };

/**
 * What a credit note takes back: of its lines, or in proportion where the invoice was one of several
 * cycles. The note that credits the rest takes all that is left.
 */
export function creditedCommission(documentId: string, note: NoteCommission): Commission | null {
  const { leftBaseMinor, leftNetMinor, netMinor, rateBp } = note;
  // Rates that cancel each other out leave nothing to be a share of.
  const isShare = note.isBilledPart && leftNetMinor > 0;
  const part = isShare
    ? multiplyRatio(leftBaseMinor, netMinor, leftNetMinor)
    : commissionable(note.lines, note.kinds);
  const isLast = netMinor === leftNetMinor;
  const baseMinor = credit(isLast ? leftBaseMinor : within(leftBaseMinor, part));
  return atRate(rateBp, note, [{ documentId, baseMinor }])[0] ?? null;
}

/** Between nothing and `limit`, on whichever side of zero that is. */
function within(limit: Minor, amount: Minor): Minor {
  return limit < 0 ? Math.min(0, Math.max(limit, amount)) : Math.max(0, Math.min(limit, amount));
}

/** The rate of all bases so far, less the amounts so far; nothing for documents that add nothing. */
function atRate(
  rateBp: number,
  before: { readonly baseMinor: Minor; readonly amountMinor: Minor },
  parts: readonly Omit<Commission, 'amountMinor'>[],
): readonly Commission[] {
  let { baseMinor: base, amountMinor: amount } = before;
  return parts
    .filter(({ baseMinor }) => baseMinor !== 0)
    .map(({ documentId, baseMinor }) => {
      base += baseMinor;
      const amountMinor = multiplyRatio(base, rateBp, WHOLE_BP) - amount;
      amount += amountMinor;
      return { documentId, baseMinor, amountMinor };
    });
}

type Amount = { readonly currency: string; readonly amountMinor: Minor };

/** Dr commissions / Cr agent payable; below zero the other way. Throws `unbalanced`. */
export function commissionPostings({ currency, amountMinor }: Amount): readonly Posting[] {
  const leg = legsIn(currency);
  return balanced([
    leg(ACCOUNT.commissions, amountMinor),
    leg(ACCOUNT.agentPayable, credit(amountMinor)),
  ]);
}

export const PAYOUT_METHODS = ['bank-transfer', 'netting'] as const;
export type PayoutMethod = (typeof PAYOUT_METHODS)[number];

const PAID_FROM = {
  'bank-transfer': ACCOUNT.bank,
  netting: ACCOUNT.receivables,
} as const satisfies Readonly<Record<PayoutMethod, string>>;

/** Dr agent payable / Cr bank, or receivables that are set off against it. Throws `unbalanced`. */
export function agentPayoutPostings({
  currency,
  amountMinor,
  method,
}: Amount & { readonly method: PayoutMethod }): readonly Posting[] {
  const leg = legsIn(currency);
  return balanced([
    leg(ACCOUNT.agentPayable, amountMinor),
    leg(PAID_FROM[method], credit(amountMinor)),
  ]);
}
