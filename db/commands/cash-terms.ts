// A legal entity's terms of cash: the legal limit, the smallest coin, and who answers for differences.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { type CashTerms, type CashTermsRow, TERMS_COLUMNS } from '../cash-row.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { recordAudit } from './audit.ts';

/** What is booked already stays. Throws `not-found` for no such entity, and `version-conflict`. */
export function setCashTerms(
  db: Db,
  acting: Acting,
  entityId: string,
  version: number,
  terms: CashTerms,
): Promise<CashTermsRow> {
  return transact(db, 'accounting_rw', acting, async (tx) => {
    const { rows } = await sql<CashTermsRow>`update accounting.cash_terms
      set cash_limit_minor = ${terms.cashLimitMinor}, rounding_minor = ${terms.roundingMinor},
        cash_refund_minor = ${terms.cashRefundMinor},
        reason_above_minor = ${terms.reasonAboveMinor},
        manager_above_minor = ${terms.managerAboveMinor},
        version = version + 1, updated_at = now()
      where entity_id = ${entityId} and version = ${version}
      returning ${TERMS_COLUMNS}`.execute(tx);
    if (rows[0] === undefined) {
      throw new DomainError('version-conflict', 'Somebody changed it meanwhile.');
    }
    const subject = { subjectType: 'cash_terms', subjectId: entityId } as const;
    await recordAudit(tx, { action: 'cash-terms.set', ...subject, after: terms });
    return rows[0];
  });
}
