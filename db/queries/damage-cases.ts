// Reads of damage cases with their damages, and of what branches ask.
import { type SqlBool, sql } from 'kysely';
import type { CaseState, CaseStatus } from '../../domain/damage-case.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import type { DamageRuleRow } from '../commands/damage-rules.ts';
import { CASE_COLUMNS } from '../damage-case-row.ts';
import { type Page, type PageRequest, paged } from './page.ts';

export type DamageItem = {
  readonly panel: string;
  readonly kind: string;
  readonly severity: string;
  readonly change: string;
};
export type WholeCase = CaseState & { readonly items: readonly DamageItem[] };

export type CaseFilter = PageRequest & {
  readonly branchId?: string | undefined;
  readonly rentalId?: string | undefined;
  readonly status?: CaseStatus | undefined;
  /** Those that a person has to look at. */
  readonly attention?: boolean | undefined;
};

/** In the order in which they were reported. */
export function listCases(db: Db, acting: Acting, filter: CaseFilter): Promise<Page<CaseState>> {
  const { after, branchId, rentalId, status, attention, limit } = filter;
  const conditions = [
    sql<SqlBool>`true`,
    after && sql<SqlBool>`id > ${after}`,
    branchId && sql<SqlBool>`branch_id = ${branchId}`,
    rentalId && sql<SqlBool>`rental_id = ${rentalId}`,
    status && sql<SqlBool>`status = ${status}`,
    attention !== undefined && sql<SqlBool>`(attention is not null) = ${attention}`,
  ].filter((condition) => typeof condition === 'object');
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<CaseState>`select ${CASE_COLUMNS} from rentals.damage_case
      where ${sql.join(conditions, sql` and `)} order by id limit ${limit + 1}`.execute(tx);
    return paged(rows, limit);
  });
}

export function caseById(db: Db, acting: Acting, id: string): Promise<WholeCase | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<CaseState>`select ${CASE_COLUMNS} from rentals.damage_case
      where id = ${id}`.execute(tx);
    const [state] = rows;
    return state && { ...state, items: await itemsOf(tx, id) };
  });
}

async function itemsOf(tx: Tx, caseId: string): Promise<readonly DamageItem[]> {
  const { rows } = await sql<DamageItem>`select panel, kind, severity, change
    from rentals.damage_item where case_id = ${caseId} order by panel, kind`.execute(tx);
  return rows;
}

export function damageRuleOf(
  db: Db,
  acting: Acting,
  branchId: string,
): Promise<DamageRuleRow | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<DamageRuleRow>`select * from rentals.damage_rule
      where branch_id = ${branchId}`.execute(tx);
    return rows[0];
  });
}
