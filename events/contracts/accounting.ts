// What a consumer accepts of the accounting domain: the zod contract of each of its events.
import { z } from 'zod';
import type { AccountingEvents } from '../../domain/events/accounting.ts';
import { code, currency, id, minor } from './parts.ts';

const drawerShift = z.object({
  shiftId: id,
  entityId: code,
  branchId: code,
  drawer: code,
  day: z.iso.date(),
  state: code,
  differenceMinor: minor.nullable(),
  currency,
});

const branchDay = z.object({ branchDayId: id, entityId: code, branchId: code, day: z.iso.date() });

const cashInTransit = z.object({
  cashInTransitId: id,
  entityId: code,
  branchId: code,
  direction: code,
  amountMinor: minor,
  currency,
  entryId: id,
});

const agent = z.object({ agentId: id, entityId: code, status: code });

export const accountingContracts = {
  'forecourt.payment.received.v1': z.object({
    paymentId: id,
    entityId: code,
    branchId: code,
    invoiceId: id.nullable(),
    rentalId: id.nullable(),
    purpose: code,
    tender: code,
    amountMinor: minor,
    appliedMinor: minor,
    currency,
    entryId: id,
  }),
  'forecourt.payment.refunded.v1': z.object({
    paymentId: id,
    refundId: id,
    tender: code,
    amountMinor: minor,
    refundedMinor: minor,
    currency,
    entryId: id,
  }),
  'forecourt.drawer-shift.opened.v1': drawerShift,
  'forecourt.drawer-shift.counting.v1': drawerShift,
  'forecourt.drawer-shift.counted.v1': drawerShift,
  'forecourt.drawer-shift.closed.v1': drawerShift,
  'forecourt.drawer-shift.verified.v1': drawerShift,
  'forecourt.branch-day.closed.v1': branchDay,
  'forecourt.branch-day.reopened.v1': branchDay,
  'forecourt.cash.sent.v1': cashInTransit,
  'forecourt.cash.matched.v1': cashInTransit,
  'forecourt.agent.registered.v1': agent,
  'forecourt.agent.changed.v1': agent,
  'forecourt.agent.paid.v1': z.object({
    payoutId: id,
    agentId: id,
    entityId: code,
    month: code,
    method: code,
    amountMinor: minor,
    currency,
    invoiceId: id.nullable(),
    entryId: id,
  }),
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
  'forecourt.credit-note.issued.v1': z.object({
    creditNoteId: id,
    number: code,
    invoiceId: id,
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
