// Reads of what left, or will leave, and of the read models that facts build.
import { sql } from 'kysely';
import type { ForecourtEvent } from '../../domain/events.ts';
import { type Db, transact } from '../client.ts';

const READER = 'system:api';

export type TravellingFact = {
  readonly status: 'published' | 'pending' | 'parked';
  readonly publishedAt: string | null;
  readonly event: ForecourtEvent;
};

type FactRow = {
  readonly status: TravellingFact['status'];
  readonly published_at: string | null;
  readonly event: string;
};

/**
 * The facts about a rental by sequence, then those about its entries and its invoice, of the last
 * 30 days (the log's retention). The outbox has no index on the aggregate, because it is short
 * while the relay runs.
 */
export function factsOfRental(db: Db, rentalId: string): Promise<readonly TravellingFact[]> {
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows: caused } = await sql<{ id: string }>`
      select id from accounting.entry where rental_id = ${rentalId}
      union select invoice_id from rentals.rental
        where id = ${rentalId} and invoice_id is not null`.execute(tx);
    // Handed over as values, so that each partition of the log is asked by its index.
    const ids = [rentalId, ...caused.map(({ id }) => id)];
    const of = sql`where aggregate_id = any (${ids}::uuid[])`;
    const { rows } = await sql<FactRow>`select status, published_at, event from (
        select 'published' as status, published_at, event, aggregate_id, seq, id
          from events.log ${of}
        union all select 'pending', null, event, aggregate_id, seq, id from events.outbox ${of}
        union all select 'parked', null, event, aggregate_id, seq, id from events.parked ${of}) fact
      order by aggregate_id <> ${rentalId}, seq, id`.execute(tx);
    return rows.map((row) => ({
      status: row.status,
      publishedAt: row.published_at,
      event: JSON.parse(row.event) as ForecourtEvent,
    }));
  });
}

export type ActivityDay = {
  readonly day: string;
  readonly reserved: number;
  readonly checkedOut: number;
  readonly extended: number;
  readonly checkedIn: number;
  readonly cancelled: number;
  readonly noShows: number;
  readonly overdue: number;
};

/** Days of the branch's own calendar, `from` and `to` included, oldest first. */
export function branchActivity(
  db: Db,
  branchId: string,
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
): Promise<readonly ActivityDay[]> {
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql<ActivityDay>`
      select to_char(day, 'YYYY-MM-DD') as day, reserved, checked_out as "checkedOut", extended,
        checked_in as "checkedIn", cancelled, no_shows as "noShows", overdue
      from events.branch_activity
      where branch_id = ${branchId}
        and day between coalesce(${from ?? null}::date, '-infinity')
          and coalesce(${to ?? null}::date, 'infinity')
      order by branch_activity.day limit 400`.execute(tx);
    return rows;
  });
}
