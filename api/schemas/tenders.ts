// Payments outside the gateway, what is open, and how old it is. Amounts in minor units.
import { z } from '@hono/zod-openapi';
import { TENDERS } from '../../domain/payments/tenders.ts';
import { BranchId, Currency, EntityId, Id, Minor, pageQuery, text, UtcInstant } from './common.ts';

const Tender = z.enum(TENDERS).openapi({
  description:
    '`card` is a slip of the counter’s terminal; `account` is money paid beyond documents before',
});
const Amount = z.int().min(1).max(1_000_000_000);
const ShiftId = Id.openapi({ description: 'The open shift of the drawer' });

export const Payment = z
  .object({
    id: Id,
    entityId: EntityId,
    branchId: BranchId,
    customerId: Id,
    rentalId: Id.nullable(),
    invoiceId: Id.nullable(),
    purpose: z.enum(['invoice', 'deposit']),
    tender: Tender,
    currency: Currency,
    amountMinor: Minor,
    appliedMinor: Minor.openapi({ description: 'Settled the invoice' }),
    unappliedMinor: Minor.openapi({ description: 'Stayed on the customer’s account' }),
    roundingMinor: Minor,
    refundedMinor: Minor,
    shiftId: Id.nullable(),
    terminalBatch: z.string().nullable(),
    reference: z.string().nullable(),
    entryId: Id,
    receivedBy: z.string(),
    receivedAt: UtcInstant,
    version: z.int(),
  })
  .openapi('Payment');

const reference = text(64).optional();
export const NewPayment = z
  .discriminatedUnion('tender', [
    z.strictObject({ tender: z.literal('cash'), amountMinor: Amount, shiftId: ShiftId }),
    z.strictObject({
      ...{ tender: z.literal('card'), amountMinor: Amount, shiftId: ShiftId, reference },
      terminalBatch: text(32).openapi({ description: 'The batch of the terminal it is in' }),
    }),
    z.strictObject({ tender: z.literal('bank-transfer'), amountMinor: Amount, reference }),
    z.strictObject({ tender: z.literal('account'), amountMinor: Amount }),
  ])
  .openapi('NewPayment');

export const NewCashDeposit = z
  .discriminatedUnion('tender', [
    z.strictObject({ tender: z.literal('cash'), amountMinor: Amount, shiftId: ShiftId }),
    z.strictObject({ tender: z.literal('bank-transfer'), amountMinor: Amount, reference }),
  ])
  .openapi('NewCashDeposit');

export const NewRefund = z
  .strictObject({
    amountMinor: Amount,
    reason: text(200),
    shiftId: Id.nullable().default(null).openapi({ description: 'Where cash goes out' }),
    approvalId: Id.nullable().default(null).openapi({
      description: 'Of a second person, for exactly this amount, above your own limit',
    }),
  })
  .openapi('NewRefund');

export const PaymentList = z.strictObject({
  ...pageQuery(Id),
  invoiceId: Id.optional(),
  rentalId: Id.optional(),
  customerId: Id.optional(),
});

export const OpenInvoice = z
  .object({
    invoiceId: Id,
    number: z.string(),
    entityId: EntityId,
    branchId: BranchId.nullable(),
    customerId: Id,
    rentalId: Id.nullable(),
    currency: Currency,
    issueDate: z.string().openapi({ format: 'date', example: '2027-05-03' }),
    dueMinor: Minor,
    settledMinor: Minor,
    openMinor: Minor,
    payableBy: z.string().openapi({ format: 'date', example: '2027-05-17' }),
    days: z.int().openapi({
      description: 'Since the last day to pay it, by the entity’s clock; below zero before',
    }),
  })
  .openapi('OpenInvoice');

export const ReceivablesQuery = z.strictObject({
  ...pageQuery(Id),
  entityId: EntityId.optional(),
  branchId: BranchId.optional(),
  customerId: Id.optional(),
  overdue: z
    .enum(['true', 'false'])
    .transform((given) => given === 'true')
    .optional()
    .openapi({ description: 'Past its last day to pay, or not' }),
});

export const Ageing = z
  .object({
    entityId: EntityId,
    customerId: Id,
    currency: Currency,
    openMinor: Minor,
    notDueMinor: Minor.openapi({ description: 'Of it, before the last day to pay it' }),
    to30Minor: Minor.openapi({ description: 'On that day and up to 30 days later' }),
    to60Minor: Minor,
    to90Minor: Minor,
    over90Minor: Minor,
    onAccountMinor: Minor.openapi({
      description: 'Paid beyond documents; nets none of the others',
    }),
  })
  .openapi('Ageing');
