// The figures of a branch's day, and what keeps it from being closed, out of the books.
import { sql } from 'kysely';
import type { BranchDayFigures } from '../../domain/branch-day.ts';
import type { Tx } from '../client.ts';

export type DayOf = { readonly entityId: string; readonly branchId: string; readonly day: string };

/**
 * In accounting_rw, while the branch's days are locked: no money of the day comes meanwhile. Documents
 * and vehicles have no day of their own: those after an early close are of the day after it.
 */
export async function figuresOf(
  tx: Tx,
  { entityId, branchId, day }: DayOf,
): Promise<BranchDayFigures> {
  const { rows } = await sql<{ figures: BranchDayFigures }>`
    with bounds as (select day::timestamp at time zone zone as began,
          (day + 1)::timestamp at time zone zone as over
        from (select ${day}::date as day,
          coalesce(vehicles.zone_of(${branchId}), 'UTC') as zone) d),
      span as (select least(over, now()) as until, least(began, (select closed_at
          from accounting.branch_day where branch_id = ${branchId} and state = 'closed'
            and day = ${day}::date - 1)) as since
        from bounds),
      shift as (select id from accounting.drawer_shift
        where branch_id = ${branchId} and day = ${day}),
      move as (select kind, amount_minor as minor from accounting.cash_movement
        where shift_id in (select id from shift)),
      tender as (
        select 'cash' as tender, greatest(minor, 0) as in_minor, greatest(-minor, 0) as out_minor
          from move where kind in ('payment', 'prepayment', 'deposit', 'refund')
        union all select tender, amount_minor, 0 from accounting.payment
          where branch_id = ${branchId} and day = ${day} and tender <> 'cash'
        union all select 'card', amount, 0 from shift, rentals.card_slips(shift.id)
        union all select r.tender, 0, r.amount_minor from accounting.payment_refund r
          join accounting.payment p on p.id = r.payment_id
          where r.day = ${day} and r.tender <> 'cash' and p.branch_id = ${branchId}
        union all select tender, in_minor, out_minor from rentals.prepaid_on(${branchId}, ${day})),
      bag as (select direction, amount_minor as minor from accounting.cash_in_transit
        where branch_id = ${branchId} and day = ${day})
    select jsonb_build_object('currency', e.functional_currency,
      'tenders', coalesce((select jsonb_agg(jsonb_build_object('tender', tender,
          'inMinor', i, 'outMinor', o) order by tender)
        from (select tender, sum(in_minor)::bigint as i, sum(out_minor)::bigint as o
          from tender group by tender) t), '[]'),
      'floatsMinor', coalesce((select sum(minor) from move where kind = 'float'), 0),
      'dropsMinor', coalesce((select -sum(minor) from move where kind = 'drop'), 0),
      'overShortMinor', coalesce((select sum(minor) from move where kind = 'difference'), 0),
      'handedInMinor', coalesce((select -sum(minor) from move where kind = 'handed-in'), 0),
      'toBankMinor', coalesce((select sum(minor) from bag where direction = 'to-bank'), 0),
      'fromBankMinor', coalesce((select sum(minor) from bag where direction = 'from-bank'), 0),
      'safeMinor', coalesce((select amount_minor from accounting.branch_safe
        where branch_id = ${branchId}), 0),
      'batches', coalesce((select jsonb_agg(jsonb_build_object('batch', batch, 'slips', s,
          'amountMinor', a, 'bookedSlips', bs, 'bookedMinor', b) order by batch)
        from (select batch, sum(slips) as s, sum(amount_minor) as a, sum(booked_slips) as bs,
            sum(booked_minor) as b from accounting.terminal_count
          where shift_id in (select id from shift) group by batch) t), '[]'),
      'documents', coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'count', n,
          'totalMinor', total) order by kind)
        from (select kind, count(*) as n, sum(total_minor) as total from accounting.invoice
          where branch_id = ${branchId} and created_at >= span.since and created_at < span.until
          group by kind) d), '[]'),
      'rentalsOut', m.rentals_out, 'rentalsIn', m.rentals_in) as figures
    from span, accounting.legal_entity e,
      lateral rentals.moves_between(${branchId}, span.since, span.until) m
    where e.id = ${entityId}`.execute(tx);
  if (rows[0] === undefined) throw new Error(`There are no books of ${entityId}.`);
  return rows[0].figures;
}

/** A shift of the day, or of one before, that nobody has verified; its terminal's batch, if any. */
export type Unfinished = {
  readonly shiftId: string;
  readonly drawer: string;
  readonly day: string;
  readonly state: string;
  /** Of slips that are not counted; null where the shift itself is not done. */
  readonly batch: string | null;
};

export async function unfinishedOf(
  tx: Tx,
  { branchId, day }: DayOf,
): Promise<readonly Unfinished[]> {
  const { rows } = await sql<Unfinished>`
    select id as "shiftId", drawer, day, state, null as batch from accounting.drawer_shift
      where branch_id = ${branchId} and day <= ${day} and state <> 'verified'
    union all
    select s.id, s.drawer, s.day, s.state, b.batch from accounting.drawer_shift s
      cross join lateral (select terminal_batch as batch from accounting.payment
          where shift_id = s.id and tender = 'card'
        union select batch from rentals.card_slips(s.id)
        except select batch from accounting.terminal_count where shift_id = s.id) b
      where s.branch_id = ${branchId} and s.day = ${day} and s.state = 'verified'
    order by day, drawer`.execute(tx);
  return rows;
}
