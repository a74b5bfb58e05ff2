// Prepayments as they are given and shown. Amounts are minor units, VAT included.
import { z } from '@hono/zod-openapi';
import type { Prepayment as Prepaid } from '../../db/prepayment-row.ts';
import { PREPAYMENT_REFUND_REASONS, PREPAYMENT_TENDERS } from '../../domain/prepayment.ts';
import { Currency, Id, Minor, UtcInstant } from './common.ts';
import { PaymentMethod } from './deposits.ts';

const Amount = z.int().min(1).max(1_000_000_000).openapi({ description: 'Minor units' });
const Code = z.string().regex(/^[A-Z0-9/-]{1,35}$/);

export const NewPrepayment = z
  .strictObject({
    amountMinor: Amount,
    tender: z.enum(PREPAYMENT_TENDERS).openapi({
      description: '`deposit` takes of what was captured or deposited for the rental before',
    }),
    shiftId: Id.optional().openapi({ description: 'Of the drawer: for cash and for slips' }),
    terminalBatch: Code.optional().openapi({ description: 'Of the slip' }),
    reference: Code.optional().openapi({ description: 'Of the transfer or slip: a code, no name' }),
  })
  .openapi('NewPrepayment');

export const PrepaymentRefund = z
  .strictObject({
    amountMinor: Amount,
    reason: z.enum(PREPAYMENT_REFUND_REASONS),
    shiftId: Id.nullable().default(null).openapi({ description: 'Where cash goes out' }),
    approvalId: Id.nullable().default(null).openapi({
      description: 'Of a second person, for exactly this amount, above your own limit',
    }),
    byBank: z.boolean().default(false).openapi({
      description: 'Of what a gateway charged: its card would not take it back',
    }),
  })
  .openapi('PrepaymentRefund');

export const Prepayment = z
  .object({
    id: Id,
    rentalId: Id,
    tender: z.enum([...PREPAYMENT_TENDERS, 'gateway' as const]),
    currency: Currency,
    amountMinor: Minor,
    refundedMinor: Minor,
    shiftId: Id.nullable(),
    terminalBatch: z.string().nullable(),
    reference: z.string().nullable(),
    invoiceId: Id,
    invoiceNumber: z.string().openapi({ example: 'PRE-2027-000001' }),
    entryId: Id,
    receivedBy: z.string(),
    receivedAt: UtcInstant,
    version: z.int(),
  })
  .openapi('Prepayment');

export const NewCardPrepayment = z
  .strictObject({ amountMinor: Amount, paymentMethod: PaymentMethod })
  .openapi('NewCardPrepayment');

/** For whoever pays, who need not know who took it or where it stands in the books. */
export const CardPrepayment = z
  .object({
    id: Id,
    rentalId: Id,
    currency: Currency,
    amountMinor: Minor,
    refundedMinor: Minor,
    invoiceNumber: z.string().openapi({ example: 'PRE-2027-000001' }),
    receivedAt: UtcInstant,
  })
  .openapi('CardPrepayment');

export function cardPrepaymentView(given: Prepaid): z.infer<typeof CardPrepayment> {
  const { id, rentalId, currency, amountMinor, refundedMinor, invoiceNumber, receivedAt } = given;
  return { id, rentalId, currency, amountMinor, refundedMinor, invoiceNumber, receivedAt };
}

export const Prepayments = z
  .object({ items: z.array(Prepayment).readonly() })
  .openapi('Prepayments');
