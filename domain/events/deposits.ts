// The facts of deposits: holds on cards, waivers of them, and payments that banks took back.

/** `authorisationId` is the hold; amounts in minor units of `currency`. */
type DepositFact = {
  readonly authorisationId: string;
  readonly rentalId: string;
  readonly state: string;
  readonly amountMinor: number;
  readonly capturedMinor: number;
  readonly refundedMinor: number;
  readonly currency: string;
  readonly validUntil: string | null;
};

/** A payment that a renter's bank took back. */
type DisputeFact = {
  readonly disputeId: string;
  readonly authorisationId: string;
  readonly rentalId: string;
  readonly state: string;
  readonly amountMinor: number;
  readonly feeMinor: number;
  readonly currency: string;
};

/** A document that came after the return; `reason` is why it stays an invoice to be paid. */
type LateChargeFact = {
  readonly lateChargeId: string;
  readonly invoiceId: string;
  readonly rentalId: string;
  readonly branchId: string;
  readonly source: string;
  readonly state: string;
  readonly reason: string | null;
  readonly chargedMinor: number | null;
  readonly currency: string;
};

export type DepositEvents = {
  readonly 'forecourt.deposit.authorised.v1': DepositFact;
  readonly 'forecourt.deposit.declined.v1': DepositFact;
  readonly 'forecourt.deposit.increased.v1': DepositFact;
  /** Another hold stands in for it, and it is released next. */
  readonly 'forecourt.deposit.replaced.v1': DepositFact;
  /** It ends soon and could not be renewed: a person has to look. */
  readonly 'forecourt.deposit.renewal-due.v1': DepositFact;
  readonly 'forecourt.deposit.captured.v1': DepositFact;
  readonly 'forecourt.deposit.refunded.v1': DepositFact;
  readonly 'forecourt.deposit.released.v1': DepositFact;
  readonly 'forecourt.deposit.expired.v1': DepositFact;
  /** What the gateway did is not what was answered before: a person has to look. */
  readonly 'forecourt.deposit.attention-needed.v1': DepositFact;
  readonly 'forecourt.deposit-waiver.recorded.v1': {
    readonly waiverId: string;
    readonly rentalId: string;
    readonly amountMinor: number;
    readonly currency: string;
    readonly reason: string;
  };
  /** The renter's card is to be charged for it: the deposit's workflow does. */
  readonly 'forecourt.late-charge.asked.v1': LateChargeFact;
  /** Charged, settled otherwise, or an invoice to be paid. */
  readonly 'forecourt.late-charge.ended.v1': LateChargeFact;
  readonly 'forecourt.dispute.opened.v1': DisputeFact;
  readonly 'forecourt.dispute.won.v1': DisputeFact;
  readonly 'forecourt.dispute.lost.v1': DisputeFact;
  readonly 'forecourt.dispute.written-off.v1': DisputeFact;
};
