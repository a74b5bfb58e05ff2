// Invoices, ledger entries and balances as shown. Amounts are minor units of the currency beside.
import { z } from '@hono/zod-openapi';
import { BranchId, Currency, EntityId, Id, Minor, pageQuery, UtcInstant } from './common.ts';

const LocalDate = z.string().openapi({ format: 'date', example: '2027-05-03' });

const header = {
  id: Id,
  number: z.string().openapi({ example: 'INV-2027-000001' }),
  kind: z.int().openapi({ description: 'EN 16931: 380 invoice, 381 credit note', example: 380 }),
  entityId: EntityId,
  branchId: BranchId.nullable(),
  customerId: Id,
  rentalId: Id.nullable(),
  entryId: Id,
  currency: Currency,
  issueDate: LocalDate,
  serviceFrom: UtcInstant,
  serviceTo: UtcInstant,
  netMinor: Minor,
  vatMinor: Minor,
  totalMinor: Minor,
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
  })
  .openapi('Invoice');

export const InvoiceList = z.strictObject({
  ...pageQuery(Id),
  entityId: EntityId.optional(),
  branchId: BranchId.optional(),
  rentalId: Id.optional(),
  customerId: Id.optional(),
  issuedFrom: z.iso.date().optional(),
  issuedBefore: z.iso.date().optional(),
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
