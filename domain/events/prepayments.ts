// The facts of who pays a rental, and of what is paid before the hire.
import type { DepositEvents } from './deposits.ts';

/** What was paid before the hire; amounts in minor units of `currency`, VAT included. */
type PrepaymentFact = {
  readonly prepaymentId: string;
  readonly rentalId: string;
  readonly tender: string;
  readonly amountMinor: number;
  readonly currency: string;
};

/** Of the money that a renter's hire is secured and paid by. */
export type MoneyEvents = DepositEvents & PrepaymentEvents;

export type PrepaymentEvents = {
  /** How many payers a rental has from now on; who they are is told by the rows alone. */
  readonly 'forecourt.payers.set.v1': {
    readonly rentalId: string;
    readonly branchId: string;
    readonly payers: number;
  };
  readonly 'forecourt.rental-agent.named.v1': {
    readonly rentalId: string;
    readonly branchId: string;
    /** Null: the rental is nobody’s any more. */
    readonly agentId: string | null;
  };
  readonly 'forecourt.prepayment.received.v1': PrepaymentFact & {
    readonly branchId: string;
    readonly invoiceId: string;
    readonly number: string;
    readonly entryId: string;
  };
  readonly 'forecourt.prepayment.refunded.v1': PrepaymentFact & {
    readonly refundId: string;
    readonly refundedMinor: number;
  };
  /** A card took it not: of what was refunded so much came back. */
  readonly 'forecourt.prepayment.refund-returned.v1': PrepaymentFact & {
    readonly refundId: string;
    readonly refundedMinor: number;
  };
};
