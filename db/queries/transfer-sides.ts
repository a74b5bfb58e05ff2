// What tickets and calendar say about transfers, page by page, for the nightly proof.
import { sql } from 'kysely';
import type { TransferSides } from '../../domain/transfer-reconciliation.ts';
import { type Db, transact } from '../client.ts';
import type { Slice } from './reconciliation.ts';

const READER = 'system:fleet-proof';
const OPEN = sql`('planned', 'under_way')`;

type TransferAndSpan = Omit<TransferSides, 'workflow'>;

/** Open tickets, and spans that should have one; one statement, so both are of one instant. */
export function readTransfers(db: Db, slice: Slice): Promise<readonly TransferAndSpan[]> {
  return transact(db, 'api_read', READER, async (tx) => {
    const wanted =
      'ids' in slice
        ? sql`select unnest(${[...slice.ids]}::uuid[]) as id`
        : sql`select id from (
            (select id from vehicles.transfer
              where status in ${OPEN} and ${beyond(slice.after, 'id')}
              order by id limit ${slice.limit})
            union
            (select ref from vehicles.span where kind = 'transfer' and ${beyond(slice.after, 'ref')}
              and (grip in ('tentative', 'out') or (grip = 'firm' and upper(during) > now()))
              order by ref limit ${slice.limit})) both_sides order by id limit ${slice.limit}`;
    const { rows } = await sql<TransferAndSpan>`
      select wanted.id,
        case when t.id is not null then jsonb_build_object('status', t.status,
          'version', t.version, 'vehicleId', t.vehicle_id, 'fromBranchId', t.from_branch,
          'toBranchId', t.to_branch, 'departsAt', t.departs_at, 'arrivesAt', t.arrives_at,
          'departedAt', t.departed_at) end as transfer,
        case when s.id is not null then jsonb_build_object('grip', s.grip,
          'vehicleId', s.vehicle_id, 'branchOut', s.branch_out, 'branchIn', s.branch_in,
          'from', lower(s.during), 'to', upper(s.during),
          'turnaroundMinutes', s.turnaround_minutes) end as span
      from (${wanted}) wanted
      left join vehicles.transfer t on t.id = wanted.id
      left join vehicles.span s on s.kind = 'transfer' and s.ref = wanted.id
      order by wanted.id`.execute(tx);
    return rows;
  });
}

/** Which of them are open. */
export function openTransfersAmong(db: Db, ids: readonly string[]): Promise<ReadonlySet<string>> {
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql<{ id: string }>`select id from vehicles.transfer
      where id = any (${[...ids]}::uuid[]) and status in ${OPEN}`.execute(tx);
    return new Set(rows.map(({ id }) => id));
  });
}

function beyond(after: string | null, column: string) {
  return after === null ? sql`true` : sql`${sql.ref(column)} > ${after}`;
}
