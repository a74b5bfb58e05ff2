// What one person may give back, or let go, alone; beyond it a second person agrees to the amount.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Tx } from '../client.ts';
import { asked } from './calendar.ts';

const OF = {
  refund: { take: 'people.take_refund', use: 'people.use_refund_approval' },
  'fee-waiver': { take: 'people.take_waiver', use: 'people.use_waiver_approval' },
} as const;

export type Decision = {
  readonly kind: keyof typeof OF;
  readonly staffId: string;
  /** What an approval of it names: the rental, or a document. */
  readonly subjectId: string;
  /** What counts together in a day; left out, the subject. */
  readonly countedFor?: string;
  readonly branchId: string | null;
  readonly amountMinor: number;
  readonly approvalId: string | null;
  /** What the person may decide alone, in minor units. */
  readonly limitMinor: number;
};

/**
 * Alone within one's limit, else by an approval of exactly this amount (decisions.md 40). Throws
 * `limit-exceeded` and `four-eyes`.
 */
export async function takeFromLimit(tx: Tx, decision: Decision): Promise<void> {
  const { kind, staffId, subjectId, branchId, amountMinor, approvalId, limitMinor } = decision;
  const { take, use } = OF[kind];
  if (approvalId !== null) {
    const used = sql`${sql.raw(use)}(${approvalId}, ${subjectId}, ${branchId}, ${amountMinor})`;
    if (await asked<boolean>(tx, used)) return;
    throw new DomainError('four-eyes', 'There is no unused approval of exactly this amount.');
  }
  const taken = sql`${sql.raw(take)}(${staffId}, ${decision.countedFor ?? subjectId},
    (now() at time zone 'UTC')::date, ${amountMinor}, ${limitMinor})`;
  if (await asked<boolean>(tx, taken)) return;
  throw new DomainError('limit-exceeded', 'It needs a second person: ask for approval.', {
    ...{ kind, limit: limitMinor },
  });
}
