// The trial balance: every account with its sums, from posted lines.
import { sql } from 'kysely';
import { type Db, transact } from '../client.ts';

/** Reads act for nobody: what may be read is the role's to say. */
const READER = 'system:api';

export type TrialBalanceRow = {
  readonly entityId: string;
  readonly account: string;
  readonly name: string;
  readonly type: string;
  readonly currency: string;
  readonly debitMinor: number;
  readonly creditMinor: number;
  /** Debits less credits. */
  readonly balanceMinor: number;
  /** The same in the entity's functional currency. */
  readonly baseBalanceMinor: number;
};

/** Per entity and currency; balance and base are zero, or the books are broken. */
export type TrialBalanceTotal = Omit<TrialBalanceRow, 'account' | 'name' | 'type'>;

export type TrialBalance = {
  readonly rows: readonly TrialBalanceRow[];
  readonly totals: readonly TrialBalanceTotal[];
};

/**
 * Every account with its sums, from the lines themselves. `asOf` is a local date of the entity and
 * includes it. Base amounts are zero per entity; per currency they may differ by exchange gains.
 */
export function trialBalance(
  db: Db,
  filter: { readonly entityId?: string | undefined; readonly asOf?: string | undefined } = {},
): Promise<TrialBalance> {
  const until =
    filter.asOf === undefined
      ? sql``
      : sql`join accounting.entry e on e.id = l.entry_id and e.posting_date <= ${filter.asOf}`;
  const entity =
    filter.entityId === undefined ? sql`` : sql`where a.entity_id = ${filter.entityId}`;
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql<TrialBalanceRow>`
      select a.entity_id as "entityId", a.code as account, a.name, a.type, s.currency,
        s.debit::bigint as "debitMinor", s.credit::bigint as "creditMinor",
        (s.debit - s.credit)::bigint as "balanceMinor", s.base::bigint as "baseBalanceMinor"
      from (
        select l.account_id, l.currency, sum(greatest(l.amount, 0)) as debit,
          sum(greatest(-l.amount, 0)) as credit, sum(l.base_amount) as base
        from accounting.line l ${until}
        group by l.account_id, l.currency
      ) s join accounting.account a on a.id = s.account_id
      ${entity}
      order by a.entity_id, a.code, s.currency`.execute(tx);
    return { rows, totals: totalsOf(rows) };
  });
}

function totalsOf(rows: readonly TrialBalanceRow[]): readonly TrialBalanceTotal[] {
  const totals = new Map<string, TrialBalanceTotal>();
  for (const row of rows) {
    const key = `${row.entityId} ${row.currency}`;
    const sum = totals.get(key);
    totals.set(key, {
      entityId: row.entityId,
      currency: row.currency,
      debitMinor: (sum?.debitMinor ?? 0) + row.debitMinor,
      creditMinor: (sum?.creditMinor ?? 0) + row.creditMinor,
      balanceMinor: (sum?.balanceMinor ?? 0) + row.balanceMinor,
      baseBalanceMinor: (sum?.baseBalanceMinor ?? 0) + row.baseBalanceMinor,
    });
  }
  return [...totals.values()];
}
