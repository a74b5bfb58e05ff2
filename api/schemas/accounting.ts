// Invoices, ledger entries and balances as shown. Amounts are minor units of the currency beside.
import { z } from '@hono/zod-openapi';
import { CREDIT_REASONS } from '../../domain/credit-note.ts';
import { BranchId, Currency, EntityId, Id, Minor, pageQuery, UtcInstant } from './common.ts';

const LocalDate = z.string().openapi({ format: 'date', example: '2027-05-03' });

const header = {
  id: Id,
  number: z.string().openapi({ example: 'INV-2027-000001' }),
  kind: z.int().openapi({
    description: 'EN 16931: 380 invoice, 381 credit note, 386 prepayment invoice',
    example: 380,
  }),
  entityId: EntityId,
  branchId: BranchId.nullable(),
  customerId: Id,
  rentalId: Id.nullable(),
  entryId: Id,
  currency: Currency,
  issueDate: LocalDate,
  payableBy: LocalDate.nullable().openapi({
    description: 'The last day to pay it; null for what is no invoice',
  }),
  serviceFrom: UtcInstant,
  serviceTo: UtcInstant,
  netMinor: Minor,
  vatMinor: Minor,
  totalMinor: Minor,
  precedingId: Id.nullable().openapi({ description: 'The invoice that a credit note takes back' }),
  prepaidMinor: Minor.openapi({ description: 'Of the total, invoiced by prepayment invoices' }),
};

export const InvoiceHeader = z.object(header).openapi('InvoiceHeader');

export const Invoice = z
  .object({
    ...header,
    lines: z
      .array(
        z.object({
          lineNo: z.int(),
          code: z.string(),
          descriptionKey: z.string(),
          quantity: z.int(),
          unitMinor: Minor,
          netMinor: Minor,
          vatRateBp: z.int().openapi({ description: 'Hundredths of a per cent', example: 2000 }),
        }),
      )
      .readonly(),
    vat: z.array(z.object({ rateBp: z.int(), baseMinor: Minor, vatMinor: Minor })).readonly(),
    dueMinor: Minor.openapi({ description: 'What it made the customer owe' }),
    settledMinor: Minor,
    openMinor: Minor,
    creditNotes: z
      .array(z.object({ id: Id, number: z.string(), issueDate: LocalDate, totalMinor: Minor }))
      .readonly(),
  })
  .openapi('Invoice');

export const NewCreditNote = z
  .strictObject({
    lines: z
      .array(
        z.strictObject({
          lineNo: z.int().min(1),
          netMinor: z.int().min(-1_000_000_000).max(1_000_000_000),
        }),
      )
      .min(1)
      .max(200)
      .optional()
      .openapi({ description: 'Net amounts of the invoice’s lines; left out, all that is left' }),
    reason: z.enum(CREDIT_REASONS),
    approvalId: Id.nullable().default(null).openapi({
      description: 'Of a second person, for exactly this gross amount, above your own limit',
    }),
  })
  .openapi('NewCreditNote');

export const InvoiceList = z.strictObject({
  ...pageQuery(Id),
  entityId: EntityId.optional(),
  branchId: BranchId.optional(),
  rentalId: Id.optional(),
  customerId: Id.optional(),
  issuedFrom: z.iso.date().optional(),
  issuedBefore: z.iso.date().optional(),
  overdue: z
    .enum(['true', 'false'])
    .transform((given) => given === 'true')
    .optional()
    .openapi({ description: 'Open past its last day to pay, by the entity’s clock, or not' }),
});

export const Entries = z
  .object({
    items: z
      .array(
        z.object({
          id: Id,
          entityId: EntityId,
          month: z.string().openapi({ example: '2027-05' }),
          postingDate: LocalDate,
          effectiveAt: UtcInstant,
          source: z.string(),
          reverses: Id.nullable(),
          createdAt: UtcInstant,
          lines: z
            .array(
              z.object({
                account: z.string().openapi({ example: '1200' }),
                name: z.string(),
                currency: Currency,
                amountMinor: Minor.openapi({ description: 'Debit above zero, credit below' }),
                baseMinor: Minor,
              }),
            )
            .readonly(),
        }),
      )
      .readonly(),
  })
  .openapi('Entries');

const balance = {
  entityId: EntityId,
  currency: Currency,
  debitMinor: Minor,
  creditMinor: Minor,
  balanceMinor: Minor.openapi({ description: 'Debits less credits' }),
  baseBalanceMinor: Minor.openapi({ description: "In the entity's own currency" }),
};

export const TrialBalanceQuery = z.strictObject({
  entityId: EntityId.optional(),
  asOf: z.iso.date().optional(),
});

export const TrialBalance = z
  .object({
    rows: z
      .array(z.object({ ...balance, account: z.string(), name: z.string(), type: z.string() }))
      .readonly(),
    totals: z
      .array(z.object(balance))
      .readonly()
      .openapi({ description: 'Per entity and currency; the balance is 0' }),
  })
  .openapi('TrialBalance');
