// Reads of transfer tickets, in the order of their planning.
import { type SqlBool, sql } from 'kysely';
import type { TransferState, TransferStatus } from '../../domain/transfer.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { TRANSFER_COLUMNS } from '../transfer-row.ts';
import { type Page, type PageRequest, paged } from './page.ts';

export type TransferFilter = PageRequest & {
  /** Either end. */
  readonly branchId?: string | undefined;
  readonly vehicleId?: string | undefined;
  readonly status?: TransferStatus | undefined;
  readonly overdue?: boolean | undefined;
};

export function listTransfers(
  db: Db,
  acting: Acting,
  filter: TransferFilter,
): Promise<Page<TransferState>> {
  const { after, branchId, vehicleId, status, overdue, limit } = filter;
  const conditions = [
    sql<SqlBool>`true`,
    after && sql<SqlBool>`id > ${after}`,
    branchId && sql<SqlBool>`(from_branch = ${branchId} or to_branch = ${branchId})`,
    vehicleId && sql<SqlBool>`vehicle_id = ${vehicleId}`,
    status && sql<SqlBool>`status = ${status}`,
    overdue !== undefined && sql<SqlBool>`overdue = ${overdue}`,
  ].filter((condition) => typeof condition === 'object');
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<TransferState>`select ${TRANSFER_COLUMNS} from vehicles.transfer
      where ${sql.join(conditions, sql` and `)} order by id limit ${limit + 1}`.execute(tx);
    return paged(rows, limit);
  });
}

export function transferById(
  db: Db,
  acting: Acting,
  id: string,
): Promise<TransferState | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<TransferState>`select ${TRANSFER_COLUMNS} from vehicles.transfer
      where id = ${id}`.execute(tx);
    return rows[0];
  });
}
