// What a consumer accepts of the accounting domain: the zod contract of each of its events.
import { z } from 'zod';
import type { AccountingEvents } from '../../domain/events/accounting.ts';
import { code, currency, id, minor } from './parts.ts';

export const accountingContracts = {
  'forecourt.invoice.issued.v1': z.object({
    invoiceId: id,
    number: code,
    entityId: code,
    branchId: code.nullable(),
    rentalId: id.nullable(),
    entryId: id,
    issueDate: z.iso.date(),
    netMinor: minor,
    vatMinor: minor,
    totalMinor: minor,
    currency,
  }),
  'forecourt.entry.posted.v1': z.object({
    entryId: id,
    entityId: code,
    postingDate: z.iso.date(),
    source: z.string().max(200),
  }),
  'forecourt.legal-entity.opened.v1': z.object({ entityId: code, functionalCurrency: currency }),
} as const satisfies { readonly [T in keyof AccountingEvents]: z.ZodType<AccountingEvents[T]> };
