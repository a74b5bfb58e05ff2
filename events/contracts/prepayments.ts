// What a consumer accepts of the facts of payers and prepayments.
import { z } from 'zod';
import type { PrepaymentEvents } from '../../domain/events/prepayments.ts';
import { code, currency, id, minor } from './parts.ts';

const prepayment = {
  prepaymentId: id,
  rentalId: id,
  tender: code,
  amountMinor: minor,
  currency,
};

export const prepaymentContracts = {
  'forecourt.payers.set.v1': z.object({ rentalId: id, branchId: code, payers: z.int().min(1) }),
  'forecourt.rental-agent.named.v1': z.object({
    rentalId: id,
    branchId: code,
    agentId: id.nullable(),
  }),
  'forecourt.prepayment.received.v1': z.object({
    ...prepayment,
    branchId: code,
    invoiceId: id,
    number: code,
    entryId: id,
  }),
  'forecourt.prepayment.refunded.v1': z.object({
    ...prepayment,
    refundId: id,
    refundedMinor: minor,
  }),
  'forecourt.prepayment.refund-returned.v1': z.object({
    ...prepayment,
    refundId: id,
    refundedMinor: minor,
  }),
} as const satisfies {
  readonly [T in keyof PrepaymentEvents]: z.ZodType<PrepaymentEvents[T]>;
};
