// Reads of shortage cases, soonest pick-up first, each with what may help.
import { type SqlBool, sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';
import { asked } from '../commands/calendar.ts';
import type { ShortageRow } from '../commands/shortages.ts';
import { type Page, type PageRequest, paged } from './page.ts';

export type Proposals = {
  readonly upgrades: readonly { readonly classId: string; readonly free: number }[];
  readonly transfers: readonly {
    readonly vehicleId: string;
    readonly branchId: string;
    readonly travelMinutes: number;
  }[];
};

export type ShortageFilter = PageRequest & {
  readonly branchId?: string | undefined;
  readonly open?: boolean | undefined;
};

/** In the order of their raising. */
export function listShortages(
  db: Db,
  acting: Acting,
  { branchId, open, after, limit }: ShortageFilter,
): Promise<Page<ShortageRow>> {
  const conditions = [
    sql<SqlBool>`true`,
    after && sql<SqlBool>`id > ${after}`,
    branchId && sql<SqlBool>`branch_id = ${branchId}`,
    open !== undefined && sql<SqlBool>`(step is null) = ${open}`,
  ].filter((condition) => typeof condition === 'object');
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<ShortageRow>`select * from vehicles.shortage_case
      where ${sql.join(conditions, sql` and `)} order by id limit ${limit + 1}`.execute(tx);
    return paged(rows, limit);
  });
}

export function shortageById(db: Db, acting: Acting, id: string): Promise<ShortageRow | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<ShortageRow>`select * from vehicles.shortage_case
      where id = ${id}`.execute(tx);
    return rows[0];
  });
}

/** Of the whole company: help comes from branches that the asking person does not work at. */
export function proposalsFor(db: Db, rentalId: string): Promise<Proposals> {
  return transact(db, 'api_read', 'system:api', (tx) =>
    asked<Proposals>(tx, sql`vehicles.shortage_proposals(${rentalId})`),
  );
}

/** The same for a span that has a vehicle, and is to give it up. */
export function proposalsForSpan(db: Db, spanId: string): Promise<Proposals> {
  return transact(db, 'api_read', 'system:api', (tx) =>
    asked<Proposals>(tx, sql`vehicles.span_proposals(${spanId})`),
  );
}
