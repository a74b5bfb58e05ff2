// The first read model: what happened at each branch on each of its local days.
import { sql } from 'kysely';
import type { Tx } from '../db/client.ts';
import { type EventType, type ForecourtEvent, topicOf } from '../domain/events.ts';
import type { ConsumerPlan } from './consumer.ts';

/** The column that an event adds one to. */
const COUNTED: Partial<Readonly<Record<EventType, string>>> = {
  'forecourt.rental.reserved.v1': 'reserved',
  'forecourt.rental.confirmed.v1': 'reserved',
  'forecourt.rental.checked-out.v1': 'checked_out',
  'forecourt.rental.extended.v1': 'extended',
  'forecourt.rental.checked-in.v1': 'checked_in',
  'forecourt.rental.cancelled.v1': 'cancelled',
  'forecourt.rental.no-show.v1': 'no_shows',
  'forecourt.rental.overdue.v1': 'overdue',
};

export const branchActivity: ConsumerPlan = {
  name: 'branch-activity',
  topics: [topicOf('rentals'), topicOf('accounting')],
  handle: countActivity,
};

/**
 * Adds the events to their branch's local day, that of the event's time in the branch's zone.
 * Throws when a branch is not known (yet): the consumer tries again before giving up.
 */
export async function countActivity(tx: Tx, events: readonly ForecourtEvent[]): Promise<void> {
  const counts = events.flatMap((event) => {
    const column = COUNTED[event.type];
    if (column === undefined || !('branchId' in event.data)) return [];
    return [{ branch: event.data.branchId, time: event.time, column }];
  });
  const invoices = events.flatMap((event) => {
    if (event.type !== 'forecourt.invoice.issued.v1' || event.data.branchId === null) return [];
    const { branchId: branch, currency, netMinor: net, totalMinor: total } = event.data;
    return [{ branch, time: event.time, currency, net, total }];
  });
  await refuseUnknown(
    tx,
    [...counts, ...invoices].map((row) => row.branch ?? ''),
  );
  if (counts.length > 0) await addCounts(tx, counts);
  if (invoices.length > 0) await addInvoices(tx, invoices);
}

async function refuseUnknown(tx: Tx, branches: readonly string[]): Promise<void> {
  const { rows } = await sql<{ id: string }>`select wanted.id
    from (select distinct unnest(${[...branches]}::text[]) as id) wanted
    where not exists (select from vehicles.branch b where b.id = wanted.id)`.execute(tx);
  if (rows[0] !== undefined) throw new Error(`Unknown branch ${rows[0].id}.`);
}

/** Rows are written in key order, so that two consumers cannot wait for each other. */
async function addCounts(tx: Tx, rows: readonly object[]): Promise<void> {
  await sql`insert into events.branch_activity as a (branch_id, day, reserved, checked_out,
      extended, checked_in, cancelled, no_shows, overdue)
    select b.id, (e.time at time zone b.time_zone)::date,
      count(*) filter (where e."column" = 'reserved'),
      count(*) filter (where e."column" = 'checked_out'),
      count(*) filter (where e."column" = 'extended'),
      count(*) filter (where e."column" = 'checked_in'),
      count(*) filter (where e."column" = 'cancelled'),
      count(*) filter (where e."column" = 'no_shows'),
      count(*) filter (where e."column" = 'overdue')
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as e (branch text, time timestamptz, "column" text)
    join vehicles.branch b on b.id = e.branch
    group by 1, 2 order by 1, 2
    on conflict (branch_id, day) do update set
      reserved = a.reserved + excluded.reserved,
      checked_out = a.checked_out + excluded.checked_out,
      extended = a.extended + excluded.extended,
      checked_in = a.checked_in + excluded.checked_in,
      cancelled = a.cancelled + excluded.cancelled,
      no_shows = a.no_shows + excluded.no_shows,
      overdue = a.overdue + excluded.overdue`.execute(tx);
}

async function addInvoices(tx: Tx, rows: readonly object[]): Promise<void> {
  await sql`insert into events.branch_invoiced as a (branch_id, day, currency, invoices, net_minor,
      total_minor)
    select b.id, (e.time at time zone b.time_zone)::date, e.currency, count(*), sum(e.net),
      sum(e.total)
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as e (branch text, time timestamptz, currency text, net bigint, total bigint)
    join vehicles.branch b on b.id = e.branch
    group by 1, 2, 3 order by 1, 2, 3
    on conflict (branch_id, day, currency) do update set
      invoices = a.invoices + excluded.invoices,
      net_minor = a.net_minor + excluded.net_minor,
      total_minor = a.total_minor + excluded.total_minor`.execute(tx);
}
