// A counter's day: what goes out, what comes back, what is late, what needs somebody, open drawers.
import type { Judged } from '../../domain/rental.ts';
import { ATTENTION_HOURS } from '../../domain/rental-attention.ts';
import { type Db, type RowAccess, rowAccess } from '../client.ts';
import { type PreparedCall, readInOneTrip } from '../one-trip.ts';

export type CounterRequest = {
  readonly branchId: string;
  /** An instant in UTC; the day is the one of the branch's clocks then. */
  readonly now: string;
  /** Whether customers' names are shown. */
  readonly isNamed: boolean;
};

/** What is shown of a rental, with what its actions hang on: those are for whoever asks. */
type Row = Pick<Judged, 'status' | 'overdue'> & {
  readonly id: string;
  readonly judged: Omit<Judged, 'status' | 'overdue'>;
};
type List = { readonly count: number; readonly rows: readonly Row[] };

/** A `CounterToday` (api/schemas/counter.ts) without the actions of its rows. */
export type CounterDay = Readonly<Record<(typeof LISTS)[number], List>>;

/** Null when the branch is unknown. */
export async function counterToday(
  db: Db,
  access: RowAccess,
  { branchId, now, isNamed }: CounterRequest,
): Promise<CounterDay | null> {
  // The day is the branch's: a vehicle of another one that is due here is shown with its plate.
  const wide = { ...rowAccess(access), scope: '*' };
  const [rows] = await readInOneTrip(db, wide, [TODAY], [branchId, now, String(isNamed)]);
  const [day] = rows ?? [];
  return day ? (JSON.parse(day) as CounterDay) : null;
}

/** Of each list; the counts are of all. */
const LISTED = 100;

export const LISTS = ['dueOut', 'dueIn', 'overdue', 'needsAttention'] as const;

/** As domain/calendar.ts writes the local time of an instant: fractions only where there are some. */
function localText(instant: string): string {
  const [local, utc] = [`(${instant} at time zone t.zone)`, `(${instant} at time zone 'UTC')`];
  return `rtrim(rtrim(to_char(${local}, 'YYYY-MM-DD"T"HH24:MI:SS.MS'), '0'), '.')
    || case when ${local} < ${utc} then '-' else '+' end
    || to_char(greatest(${local} - ${utc}, ${utc} - ${local}), 'HH24:MI')`;
}

const RENTAL = `r.id, r.number, r.status, r.class_id, r.branch_id, r.return_branch_id,
  r.customer_id, r.pick_up_at, r.due_at, r.announced_return_at, r.not_returned, r.overdue,
  r.delay_minutes, r.answer_by, r.checked_out_at, r.desk_terms`;

/** What the rules of its actions look at, beside what is shown. */
const JUDGED = `json_build_object('pickUpAt', n.pick_up_at, 'dueAt', n.due_at,
  'answerBy', n.answer_by, 'checkedOutAt', n.checked_out_at, 'notReturned', n.not_returned,
  'deskTerms', n.desk_terms, 'isExchanged', n.status = 'active' and exists (
    select from rentals.segment e where e.rental_id = n.id and e.to_at is not null))`;

/** Late, and what is next to be done about it (decisions.md 5). */
const LATE = `case c.not_returned when 'call' then 'call-renter'
  when 'manager' then 'manager-case' else 'overdue' end`;

/**
 * Reservations of up to now that nobody picked up are still to go out, and a vehicle of yesterday
 * within its grace is still to come back. What needs somebody is what `needsAttention` of
 * domain/rental-attention.ts says, and a deposit that its gateway or its timer gave to a person. Of
 * drawers no amount is told, because whoever counts them must not know what is expected.
 */
const TODAY: PreparedCall = {
  role: 'api_read',
  name: 'counter_today',
  types: ['text', 'timestamptz', 'boolean'],
  text: `
    with today as materialized (
      select zone, day::date as date, day at time zone zone as begins,
        (day + interval '1 day') at time zone zone as ends,
        $2 + interval '${ATTENTION_HOURS} hours' as near
      from (select time_zone as zone, date_trunc('day', $2 at time zone time_zone) as day
        from vehicles.branch where id = $1) b
    ), going as materialized (
      select ${RENTAL}, s.vehicle_id
      from today t
      join rentals.rental r on r.branch_id = $1 and r.status = 'reserved'
        and r.pick_up_at <= greatest(t.ends, t.near)
      left join vehicles.span s on s.kind = 'rental' and s.ref = r.id and s.grip <> 'released'
    ), coming as materialized (
      select ${RENTAL}, r.vehicle_id
      from today t
      join rentals.rental r on r.return_branch_id = $1 and r.status = 'active' and r.due_at < t.ends
    ), listed as (
      select 'dueOut' as list, null as reason, g.pick_up_at as at, g.*
        from going g, today t where g.pick_up_at < t.ends
      union all
      select 'dueIn', null, c.due_at, c.* from coming c, today t
        where c.due_at >= t.begins or not c.overdue
      union all
      select 'overdue', null, c.due_at, c.* from coming c where c.overdue
      union all
      select 'needsAttention', ${LATE}, c.due_at, c.* from coming c where c.overdue
      union all
      select 'needsAttention', 'unassigned', g.pick_up_at, g.* from going g, today t
        where g.vehicle_id is null and g.pick_up_at <= t.near
      union all
      select 'needsAttention', 'requested', r.pick_up_at, ${RENTAL}, null from rentals.rental r
        where r.branch_id = $1 and r.status = 'requested'
      union all
      select 'needsAttention', 'arrears', r.due_at, ${RENTAL}, r.vehicle_id from rentals.rental r
        where r.branch_id = $1 and r.arrears
      union all
      select 'needsAttention', 'outside-hours', h.at, ${RENTAL}, r.vehicle_id
        from events.outside_hours h join rentals.rental r on r.id = h.rental_id
        where h.branch_id = $1 and r.status in ('reserved', 'active')
      union all
      select 'needsAttention', 'deposit', r.due_at, ${RENTAL}, r.vehicle_id
        from rentals.authorisation h join rentals.rental r on r.id = h.rental_id
        where h.state = 'open' and h.attention is not null and r.branch_id = $1
      union all
      select 'needsAttention', 'pay-back', r.due_at, ${RENTAL}, r.vehicle_id
        from accounting.rental_money m join rentals.rental r on r.id = m.rental_id
        where (m.deposit_minor <> 0 or m.unapplied_minor <> 0) and r.branch_id = $1
          and m.deposit_minor + m.unapplied_minor > 0
          and r.status in ('closed', 'cancelled', 'no_show', 'declined', 'expired')
    ), numbered as (
      select l.*, row_number() over (partition by list order by at, id) as n from listed l
    ), shown as (
      select n.list, json_agg(json_build_object(
          'id', n.id, 'number', n.number, 'status', n.status, 'classId', n.class_id,
          'branchId', n.branch_id, 'returnBranchId', n.return_branch_id,
          'customerId', n.customer_id, 'customerName', case when $3 then
            (select c.name from rentals.customer c where c.id = n.customer_id) end,
          'vehicleId', n.vehicle_id,
          'plate', (select v.plate from vehicles.vehicle v where v.id = n.vehicle_id),
          'pickUpAt', ${localText('n.pick_up_at')}, 'dueAt', ${localText('n.due_at')},
          'announcedReturnAt', ${localText('n.announced_return_at')},
          'unassigned', n.status = 'reserved' and n.vehicle_id is null, 'overdue', n.overdue,
          'delayMinutes', n.delay_minutes, 'flightNumber', case when $3 then
            (select f.flight_number from rentals.flight f where f.rental_id = n.id) end,
          'reason', n.reason, 'judged', ${JUDGED}) order by n.n) as rows
      from numbered n cross join today t
      where n.n <= ${LISTED}
      group by n.list
    ), counted as (
      select list, count(*) as of_all from listed group by list
    )
    select json_build_object('branchId', $1, 'date', t.date, 'timeZone', t.zone, ${LISTS.map(
      (list) => `'${list}', json_build_object(
        'count', coalesce((select of_all from counted where list = '${list}'), 0),
        'rows', coalesce((select rows from shown where list = '${list}'), '[]'))`,
    ).join(',')},
      'openShifts', coalesce((
        select json_agg(json_build_object('id', o.shift_id, 'drawer', o.drawer, 'state', o.state,
          'stale', o.day < t.date) order by o.day, o.drawer)
        from accounting.open_shifts($1, t.date) o), '[]'),
      'lastClosedDay', accounting.last_closed_day($1),
      'fleetDifferences', (select count(*) from vehicles.fleet_difference
        where branch_id = $1 and resolved_at is null))::text as answer
    from today t`,
};
