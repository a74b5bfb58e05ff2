// What the calendar says of the coming days: by class and branch, who is free and what still waits.
import { sql } from 'kysely';
import type { PoolOutlook } from '../../domain/relocation.ts';
import { type Db, type Tx, transact } from '../client.ts';

/** Vehicles are moved between branches that the asking person does not work at. */
const READER = 'system:api';

export type Outlook = {
  readonly pools: readonly PoolOutlook[];
  readonly travelMinutes: (from: string, to: string) => number;
};

type DayRow = {
  readonly branch_id: string;
  readonly class_id: string;
  readonly free: readonly number[];
  readonly movable: readonly number[];
  readonly waiting: readonly number[];
};

/** Days are of 24 hours, the first one begins at `from`. Pools without anything are left out. */
export function relocationOutlook(db: Db, from: string, days: number): Promise<Outlook> {
  return transact(db, 'api_read', READER, async (tx) => {
    const rows = await poolDays(tx, from, days);
    const minutes = await travelTimes(tx);
    return {
      pools: rows.map(({ branch_id: branchId, class_id: classId, free, movable, waiting }) => ({
        branchId,
        classId,
        free,
        movable,
        waiting,
      })),
      travelMinutes: (one, other) => minutes.get(`${one}/${other}`) ?? Number.POSITIVE_INFINITY,
    };
  });
}

/**
 * A vehicle counts where it will be when the day begins; a hard hold of any hour takes the day. What
 * waits counts at its peak: two bookings after each other need one vehicle.
 */
async function poolDays(tx: Tx, from: string, days: number): Promise<readonly DayRow[]> {
  const { rows } = await sql<DayRow>`
    with day as (
      select n, tstzrange(at, at + interval '1 day') as during, at
      from generate_series(0, ${days - 1}::int) n
      cross join lateral (select ${from}::timestamptz + make_interval(days => n) as at) a),
    there as (
      select v.class_id, d.n, vehicles.place_at(v.id, d.at) as branch_id,
        not exists (select from vehicles.span s where s.vehicle_id = v.id
          and s.grip <> 'released' and lower(s.during) >= d.at) as is_movable
      from vehicles.vehicle v cross join day d
      where v.status = 'in_service'
        and not exists (select from vehicles.span s where s.vehicle_id = v.id
          and s.grip <> 'released' and s.during && d.during)
        and case when exists (select from vehicles.hold h where h.vehicle_id = v.id
            and h.lifted_at is null and h.severity = 'hard')
          then vehicles.blocking_hold(v.id, d.during) is null else true end),
    counted as (
      select branch_id, class_id, n, count(*)::int as free,
        count(*) filter (where is_movable)::int as movable, 0 as waiting
      from there group by branch_id, class_id, n
      union all
      -- Those that wait at one instant: where one of them begins, or the day does.
      select s.branch_out, s.class_id, d.n, 0, 0, max((
        select count(*)::int from vehicles.span o
        where o.branch_out = s.branch_out and o.class_id = s.class_id and o.kind = 'rental'
          and o.grip = 'unassigned' and o.during @> greatest(lower(s.during), d.at)))
      from vehicles.span s join day d on s.during && d.during
      where s.kind = 'rental' and s.grip = 'unassigned' group by s.branch_out, s.class_id, d.n),
    summed as (
      select p.branch_id, p.class_id, d.n, coalesce(sum(c.free), 0)::int as free,
        coalesce(sum(c.movable), 0)::int as movable, coalesce(sum(c.waiting), 0)::int as waiting
      from (select distinct branch_id, class_id from counted) p cross join day d
      left join counted c on (c.branch_id, c.class_id, c.n) = (p.branch_id, p.class_id, d.n)
      group by p.branch_id, p.class_id, d.n)
    select branch_id, class_id, array_agg(free order by n) as free,
      array_agg(movable order by n) as movable, array_agg(waiting order by n) as waiting
    from summed group by branch_id, class_id order by class_id, branch_id`.execute(tx);
  return rows;
}

async function travelTimes(tx: Tx): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ pair: string; minutes: number }>`select a.id || '/' || b.id as pair,
      vehicles.travel_minutes(a.id, b.id) as minutes
    from vehicles.branch a join vehicles.branch b on b.id <> a.id`.execute(tx);
  return new Map(rows.map(({ pair, minutes }) => [pair, minutes]));
}
