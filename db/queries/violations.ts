// Reads of tolls and fines, of entities' terms for them, and of files of notices.
import { type Selectable, type SqlBool, sql } from 'kysely';
import { type ImportProblem, problemOf } from '../../domain/vehicle-import.ts';
import { type Acting, type Db, rowAccess, transact } from '../client.ts';
import type { NewViolation, ViolationRow } from '../commands/violations.ts';
import type { RentalsViolationImport, RentalsViolationTerms } from '../schema.ts';
import { type Page, type PageRequest, pageById } from './page.ts';

export type ViolationImportRow = Selectable<RentalsViolationImport>;
export type ViolationTermsRow = Selectable<RentalsViolationTerms>;
export type ImportedNotice = { readonly row: number; readonly notice: NewViolation };

export type ViolationFilter = PageRequest & {
  readonly status?: string | undefined;
  readonly rentalId?: string | undefined;
  readonly branchId?: string | undefined;
};

/** In the order of their arrival. */
export function listViolations(
  db: Db,
  acting: Acting,
  filter: ViolationFilter,
): Promise<Page<ViolationRow>> {
  return transact(db, 'api_read', acting, (tx) => {
    let query = tx.selectFrom('rentals.violation').selectAll();
    if (filter.status !== undefined) query = query.where('status', '=', filter.status);
    if (filter.rentalId !== undefined) query = query.where('rental_id', '=', filter.rentalId);
    if (filter.branchId !== undefined) query = query.where('branch_id', '=', filter.branchId);
    return pageById(query, filter);
  });
}

export function violationById(
  db: Db,
  acting: Acting,
  id: string,
): Promise<ViolationRow | undefined> {
  return transact(db, 'api_read', acting, (tx) =>
    tx.selectFrom('rentals.violation').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}

export function violationTermsOf(
  db: Db,
  acting: Acting,
  entityId: string,
): Promise<ViolationTermsRow | undefined> {
  return transact(db, 'api_read', acting, (tx) =>
    tx
      .selectFrom('rentals.violation_terms')
      .selectAll()
      .where('entity_id', '=', entityId)
      .executeTakeFirst(),
  );
}

export function violationImportById(
  db: Db,
  acting: Acting,
  id: string,
): Promise<ViolationImportRow | undefined> {
  return transact(db, 'api_read', acting, (tx) =>
    tx.selectFrom('rentals.violation_import').selectAll().where('id', '=', id).executeTakeFirst(),
  );
}

/** Notices that are here already, wherever their rentals were. */
export function knownNotices(
  db: Db,
  acting: Acting,
  notices: readonly ImportedNotice[],
): Promise<readonly ImportProblem[]> {
  const asked = notices.map(({ row, notice: { authority, noticeNumber } }) => {
    return { row, authority, number: noticeNumber };
  });
  // As the domain that owns the notices: their keys are made by a function of its own.
  return transact(db, 'rentals_rw', { ...rowAccess(acting), scope: '*' }, async (tx) => {
    const { rows } = await sql<{ readonly row: number }>`
      with asked as (select row, rentals.notice_key(authority) as authority_key,
          rentals.notice_key(number) as notice_key
        from jsonb_to_recordset(${JSON.stringify(asked)}::jsonb)
          as a (row int, authority text, number text))
      select a.row from asked a where ${KNOWN}
      union
      select a.row from asked a where exists (select from asked b where b.row < a.row
        and (b.authority_key, b.notice_key) = (a.authority_key, a.notice_key))
      order by 1`.execute(tx);
    return rows.map(({ row }) => problemOf(row, 'noticeNumber', 'This notice is here already.'));
  });
}

const KNOWN = sql<SqlBool>`exists (select from rentals.violation v
  where (v.authority_key, v.notice_key) = (a.authority_key, a.notice_key))`;
