// The port to payment gateways: what Forecourt orders, what it is answered, what it is told later.

/** Adapters; the name stands in each hold's row, so that it is settled where it was made. */
export const GATEWAYS = ['simulated', 'stripe'] as const;
export type GatewayName = (typeof GATEWAYS)[number];

/**
 * What a gateway is asked to do. Amounts are minor units above zero; an increase names the new
 * total. `paymentMethod` is the gateway's own reference to a card: a card's number never comes here.
 */
export type GatewayOrder =
  | {
      readonly kind: 'authorise';
      readonly rentalId: string;
      readonly paymentMethod: string;
      readonly amountMinor: number;
      readonly currency: string;
    }
  | ({ readonly kind: 'increase' } & AmountOnHold)
  | ({ readonly kind: 'capture' } & AmountOnHold)
  | ({ readonly kind: 'refund' } & AmountOnHold)
  | ({ readonly kind: 'release' } & OnHold);

/** `ref` is the gateway's reference to the hold. */
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

/** What a gateway tells by itself. `id` is the same in each repetition of it. */
export type GatewayNotice = {
  readonly id: string;
  readonly type: 'hold-ended' | 'disputed' | 'other';
  /** The hold that it is about; null where it is about something else. */
  readonly ref: string | null;
  readonly rentalId: string | null;
};

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
  /** Throws `NoticeRefused` when the signature is not the gateway's. */
  readonly readNotice: (body: string, signature: string) => GatewayNotice;
};

/** Somebody else sent it, or it was changed on its way, or long ago. */
export class NoticeRefused extends Error {
  constructor() {
    super('The signature does not fit: the notice is not the gateway’s.');
    this.name = 'NoticeRefused';
  }
}
