// Reads of meters: readings, what waits for a person, and what a vehicle's meters say now.
import { type RawBuilder, sql } from 'kysely';
import type { MeterKind, MeterSource } from '../../domain/meter.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { type Page, type PageRequest, paged } from './page.ts';

export type ReadingRow = {
  readonly id: string;
  readonly vehicle_id: string;
  readonly kind: MeterKind;
  readonly source: MeterSource;
  readonly device_id: string;
  readonly external_id: string | null;
  readonly taken_at: string;
  /** A decimal as text, three places. */
  readonly value: string;
  readonly code: string;
  readonly origin: string;
  readonly state: 'accepted' | 'queued' | 'void';
  readonly recorded_at: string;
  readonly segment: number;
  readonly void_at: string | null;
  readonly void_reason: string | null;
  readonly review_reason: 'backwards' | 'too-fast' | null;
  readonly review_decision: string | null;
  readonly decided_at: string | null;
};

const READING = sql`(select r.id, m.vehicle_id, r.kind, m.source, m.device_id, r.external_id,
    r.taken_at, r.value, r.code, r.origin, r.state, r.recorded_at, r.void_at, r.void_reason,
    coalesce((select max(s.number) from vehicles.meter_segment s
      where s.meter_id = r.meter_id and s.from_at <= r.taken_at), 1) as segment,
    w.reason as review_reason, w.decision as review_decision, w.decided_at
  from vehicles.reading r
  join vehicles.meter m on m.id = r.meter_id
  left join vehicles.reading_review w on w.id = r.id)`;

/** `where` is about columns of `t`: those of ReadingRow. In order of arrival. */
export async function selectReadings(
  tx: Tx,
  where: RawBuilder<boolean>,
  limit = 1,
): Promise<readonly ReadingRow[]> {
  const { rows } = await sql<ReadingRow>`select t.* from ${READING} t where ${where}
    order by t.id limit ${limit}`.execute(tx);
  return rows;
}

export type ReadingFilter = PageRequest & {
  readonly vehicleId: string;
  readonly kind?: MeterKind | undefined;
  readonly source?: MeterSource | undefined;
  readonly state?: ReadingRow['state'] | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
};

/** A vehicle's readings in [from, to), in order of arrival. */
export function listReadings(
  db: Db,
  acting: Acting,
  filter: ReadingFilter,
): Promise<Page<ReadingRow>> {
  const conditions = [
    sql<boolean>`t.vehicle_id = ${filter.vehicleId}`,
    filter.kind && sql<boolean>`t.kind = ${filter.kind}`,
    filter.source && sql<boolean>`t.source = ${filter.source}`,
    filter.state && sql<boolean>`t.state = ${filter.state}`,
    filter.from && sql<boolean>`t.taken_at >= ${filter.from}`,
    filter.to && sql<boolean>`t.taken_at < ${filter.to}`,
    filter.after && sql<boolean>`t.id > ${filter.after}`,
  ].filter((condition) => condition !== undefined && condition !== '');
  return transact(db, 'api_read', acting, async (tx) =>
    paged(await selectReadings(tx, all(conditions), filter.limit + 1), filter.limit),
  );
}

/** What waits for a person, oldest first. */
export function listReviews(
  db: Db,
  acting: Acting,
  filter: PageRequest & { readonly vehicleId?: string | undefined },
): Promise<Page<ReadingRow>> {
  const conditions = [
    sql<boolean>`t.id in (select w.id from vehicles.reading_review w where w.decision is null)`,
    ...(filter.vehicleId ? [sql<boolean>`t.vehicle_id = ${filter.vehicleId}`] : []),
    ...(filter.after ? [sql<boolean>`t.id > ${filter.after}`] : []),
  ];
  return transact(db, 'api_read', acting, async (tx) =>
    paged(await selectReadings(tx, all(conditions), filter.limit + 1), filter.limit),
  );
}

function all(conditions: readonly RawBuilder<boolean>[]): RawBuilder<boolean> {
  return sql<boolean>`${sql.join(conditions, sql` and `)}`;
}

export type MeterRow = {
  readonly kind: MeterKind;
  readonly source: MeterSource;
  readonly device_id: string;
  readonly last_at: string;
  readonly last_value: string;
  /** What to add to a device's odometer to read as the newest dash reading did; null without. */
  readonly offset_km: string | null;
};

export type DtcRow = { readonly code: string; readonly last_at: string };

export type MeterState = {
  readonly meters: readonly MeterRow[];
  /** The codes that are on. */
  readonly dtcs: readonly DtcRow[];
};

/**
 * The meters of a vehicle as they are now. A device is calibrated at the newest dash reading: its
 * offset is what the dash read more than the device did next to that moment.
 */
export function metersOf(db: Db, acting: Acting, vehicleId: string): Promise<MeterState> {
  return transact(db, 'api_read', acting, async (tx) => {
    const meters = await sql<MeterRow>`select m.kind, m.source, m.device_id, m.last_at,
        m.last_value, dash.last_value - (
          select near.value from (
            (select r.value, dash.last_at - r.taken_at as away from vehicles.reading r
              where r.meter_id = m.id and r.state = 'accepted' and r.taken_at <= dash.last_at
              order by r.taken_at desc limit 1)
            union all
            (select r.value, r.taken_at - dash.last_at from vehicles.reading r
              where r.meter_id = m.id and r.state = 'accepted' and r.taken_at > dash.last_at
              order by r.taken_at limit 1)) near
          where m.kind = 'odometer' and m.source <> 'dash' order by near.away limit 1
        ) as offset_km
      from vehicles.meter m
      left join vehicles.meter dash on dash.vehicle_id = m.vehicle_id
        and dash.kind = 'odometer' and dash.source = 'dash'
      where m.vehicle_id = ${vehicleId} and m.kind <> 'dtc' and m.last_at is not null
      order by m.kind, array_position(array['dash', 'can', 'gps'], m.source), m.device_id
    `.execute(tx);
    const dtcs = await sql<DtcRow>`select code, last_at from vehicles.dtc
      where vehicle_id = ${vehicleId} and active order by code`.execute(tx);
    return { meters: meters.rows, dtcs: dtcs.rows };
  });
}
