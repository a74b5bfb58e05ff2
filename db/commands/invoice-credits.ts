// Crediting an invoice by a person's decision: within a limit, or with a second person (decisions.md 40).
import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import type { CreditedLine } from '../../domain/credit-note.ts';
import { DomainError } from '../../domain/errors.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { recordAudit } from './audit.ts';
import { type IssuedCreditNote, issueCreditNote } from './credit-notes.ts';

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
        await takeWaiver(tx, asked, rentalId ?? invoiceId, branchId, totalMinor);
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

async function takeWaiver(
  tx: Tx,
  { invoiceId, actor, approvalId, limitMinor }: InvoiceCredit,
  subject: string,
  branchId: string | null,
  amount: number,
): Promise<void> {
  if (approvalId !== null) {
    const { rows } = await sql<{ used: boolean }>`select people.use_waiver_approval(${approvalId},
      ${invoiceId}, ${branchId}, ${amount}) as used`.execute(tx);
    if (rows[0]?.used === true) return;
    throw new DomainError('four-eyes', 'There is no unused approval for crediting this amount.');
  }
  const { rows } = await sql<{ taken: boolean }>`select people.take_waiver(${actor.id}, ${subject},
    (now() at time zone 'UTC')::date, ${amount}, ${limitMinor}) as taken`.execute(tx);
  if (rows[0]?.taken === true) return;
  throw new DomainError('limit-exceeded', 'It needs a second person: ask for approval.', {
    kind: 'fee-waiver',
    limit: limitMinor,
  });
}
