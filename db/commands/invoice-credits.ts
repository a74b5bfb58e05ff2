// Crediting an invoice by a person's decision: within a limit, or with a second person (decisions.md 40).
import type { Actor } from '../../domain/actor.ts';
import type { CreditedLine } from '../../domain/credit-note.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { recordAudit } from './audit.ts';
import { type IssuedCreditNote, issueCreditNote } from './credit-notes.ts';
import { takeFromLimit } from './limits.ts';

export type InvoiceCredit = {
  /** Of the command; a repeat answers its first credit note. */
  readonly id: string;
  readonly invoiceId: string;
  readonly actor: Actor;
  readonly at: string;
  readonly lines: readonly CreditedLine[] | undefined;
  readonly reason: string;
  readonly approvalId: string | null;
  /** What the caller may let go alone, in minor units. */
  readonly limitMinor: number;
};

/**
 * Throws as `issueCreditNote`; `limit-exceeded` above what the caller may waive, for one rental and in
 * one day; `four-eyes` for an approval that is not of this invoice and exactly this amount.
 */
export function creditInvoice(
  db: Db,
  acting: Acting,
  asked: InvoiceCredit,
): Promise<IssuedCreditNote> {
  const { id, invoiceId, at, lines, reason } = asked;
  return transact(db, 'accounting_rw', acting, (tx) =>
    issueCreditNote(
      tx,
      { key: `credit-note/${id}`, invoiceId, at, lines },
      async ({ branchId, rentalId }, { totalMinor }) => {
        const { actor, approvalId, limitMinor } = asked;
        await takeFromLimit(tx, {
          ...{ kind: 'fee-waiver', staffId: actor.id, subjectId: invoiceId, branchId, approvalId },
          ...{ countedFor: rentalId ?? invoiceId, amountMinor: totalMinor, limitMinor },
        });
        await recordAudit(tx, {
          action: 'invoice.credit',
          subjectType: 'invoice',
          subjectId: invoiceId,
          commandId: id,
          reason,
          after: { totalMinor, rentalId, lines: lines ?? 'all' },
        });
      },
    ),
  );
}
