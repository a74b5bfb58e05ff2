// The port to payment gateways: what Forecourt orders, what it is answered, what it is told later.

/** Adapters; the name stands in each hold's row, so that it is settled where it was made. */
export const GATEWAYS = ['simulated', 'stripe'] as const;
export type GatewayName = (typeof GATEWAYS)[number];

/**
 * What a gateway is asked to do. Amounts are minor units above zero; an increase names the new
 * total. `paymentMethod` is the gateway's own reference to a card: a card's number never comes here.
 */
export type GatewayOrder =
  | ({ readonly kind: 'authorise' } & AmountOnCard)
  /** Taken at once, without a hold before it. */
  | ({ readonly kind: 'charge' } & AmountOnCard)
  | ({ readonly kind: 'increase' } & AmountOnHold)
  | ({ readonly kind: 'capture' } & AmountOnHold)
  | ({ readonly kind: 'refund' } & AmountOnHold)
  | ({ readonly kind: 'release' } & OnHold);

type AmountOnCard = {
  readonly rentalId: string;
  readonly paymentMethod: string;
  readonly amountMinor: number;
  readonly currency: string;
};
/** `ref` is the gateway's reference to the hold, or to what was charged. */
type OnHold = { readonly ref: string };
type AmountOnHold = OnHold & { readonly amountMinor: number; readonly currency: string };

export type GatewayOutcome =
  | {
      readonly status: 'done';
      readonly ref: string;
      /** Of a hold: when it was made by the gateway's clock, and until when it may be captured. */
      readonly heldAt: string | null;
      readonly validUntil: string | null;
      /** Of a hold: how much more than it may be captured, in percent. */
      readonly overcapturePercent: number;
    }
  | { readonly status: 'declined'; readonly code: string };

/** A payment that a renter's bank takes back, as it stands when the notice was made. */
export type NoticedDispute = {
  /** The gateway's reference to the dispute. */
  readonly ref: string;
  readonly outcome: 'open' | 'won' | 'lost';
  readonly amountMinor: number;
  readonly currency: string;
  readonly feeMinor: number;
  /** Of the fee, what came back with the payment. */
  readonly feeReturnedMinor: number;
};

/**
 * What a gateway tells by itself, in any order and more than once. `id` is the same in each
 * repetition; `ref` is the hold or charge that it is about, `key` the order that it answers.
 */
export type GatewayNotice = { readonly id: string } & (
  | { readonly type: 'order-done'; readonly ref: string; readonly key: string }
  /** Also long after it was said to be done: a refund that no bank took. */
  | {
      readonly type: 'order-failed';
      readonly ref: string;
      readonly key: string;
      readonly code: string;
    }
  | { readonly type: 'hold-ended'; readonly ref: string }
  | { readonly type: 'disputed'; readonly ref: string; readonly dispute: NoticedDispute }
  /** Nothing that concerns us. */
  | { readonly type: 'other' }
);

/**
 * A gateway. It rejects when the outcome is not known (a timeout, a lost line): then `find`, or the
 * same order with the same key, tells what happened; neither ever charges again.
 */
export type PaymentGateway = {
  readonly name: GatewayName;
  /** How long the same order with the same key is answered from memory, and not done again. */
  readonly keyMs: number;
  readonly carryOut: (key: string, order: GatewayOrder) => Promise<GatewayOutcome>;
  /** What became of the order with this key; null when the gateway never had it. */
  readonly find: (key: string, order: GatewayOrder) => Promise<GatewayOutcome | null>;
  /** The header in which its notices are signed. */
  readonly signatureHeader: string;
  /** Throws `NoticeRefused` when the signature is not the gateway's, or was made long ago. */
  readonly readNotice: (body: string, signature: string) => GatewayNotice;
};

/** Somebody else sent it, or it was changed on its way, or long ago. */
export class NoticeRefused extends Error {
  constructor() {
    super('The signature does not fit: the notice is not the gateway’s.');
    this.name = 'NoticeRefused';
  }
}
