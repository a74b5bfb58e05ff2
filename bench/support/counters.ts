// Branches in the middle of their day, as a company of some years has them: loaded in bulk.
import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../../db/client.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';
import { CLASSES, createCompany } from './company.ts';

type Load = {
  readonly branches: number;
  /** Closed rentals of the whole company. */
  readonly past: number;
  /** At each branch: half of them to go out, half to come back. */
  readonly today: number;
};

const CUSTOMERS = 20_000;
/** Reservations of the coming months at each branch. */
const AHEAD = 2_000;

/** Of what is to go out 1 in 20 has no vehicle, of what is out 1 in 10 is late. */
export async function loadCounters(owner: Db, { branches, past, today }: Load): Promise<void> {
  await createCompany(owner, { branches, vehiclesPerPool: Math.ceil(today / CLASSES.length) });
  await sql`insert into rentals.rate_plan (id, version, valid_from, terms)
    values (${GOLD_1.id}, ${GOLD_1.version}, now(), ${JSON.stringify(GOLD_1)})`.execute(owner);
  await sql`insert into rentals.customer (id, name)
    select uuidv7(), 'Customer ' || n from generate_series(1, ${CUSTOMERS}::int) n`.execute(owner);
  await owner.transaction().execute(async (tx) => {
    // What the triggers would check a row at a time is true by construction.
    await sql`set local session_replication_role = replica`.execute(tx);
    await sql`create temp table renter on commit drop as
      select id, row_number() over () as n from rentals.customer`.execute(tx);
    await sql`create temp table car on commit drop as
      select id, row_number() over (order by branch_id, id) as n from vehicles.vehicle`.execute(tx);
    await sql`analyze renter, car`.execute(tx);
    const half = (branches * today) / 2;
    const lately = sql`now() - random() * interval '2 hours'`;
    const longAgo = sql`now() - interval '4 days' - random() * interval '1000 days'`;
    const ahead = sql`now() + interval '3 days' + random() * interval '90 days'`;
    await rentals('closed', past, longAgo, branches).execute(tx);
    await rentals('reserved', branches * AHEAD, ahead, branches).execute(tx);
    await rentals('reserved', half, lately, branches).execute(tx);
    await rentals('active', half, sql`${lately} - interval '2 days'`, branches).execute(tx);
    await sql`analyze rentals.rental`.execute(tx);
    await spans().execute(tx);
  });
  await sql`vacuum (analyze, freeze)`.execute(owner);
  await sql`checkpoint`.execute(owner);
}

/** Of two days each, the branches in turn. */
function rentals(
  status: string,
  count: number,
  pickUpAt: RawBuilder<unknown>,
  branches: number,
): RawBuilder<unknown> {
  const isOut = status !== 'reserved';
  const isBack = status === 'closed';
  return sql`insert into rentals.rental (id, status, overdue, branch_id, return_branch_id, class_id,
      entity_id, customer_id, vehicle_id, pick_up_at, due_at, no_show_at, grace_minutes,
      reminder_minutes, checked_out_at, odometer_out_km, fuel_out_eighths, checked_in_at,
      odometer_in_km, fuel_in_eighths, plan_id, plan_version, price, currency, total_minor,
      invoice_id)
    select uuidv7(), ${status}, ${status} = 'active' and (one.n / 10) % 10 = 0, branch, branch,
      (${[...CLASSES]}::text[])[1 + one.n % 5], 'FC-AT', renter.id,
      case when ${isOut} then car.id end,
      at, at + interval '2 days', at + interval '2 hours', 29, 1440,
      case when ${isOut} then at end, case when ${isOut} then 1000 end,
      case when ${isOut} then 8 end, case when ${isBack} then at + interval '2 days' end,
      case when ${isBack} then 1100 end, case when ${isBack} then 8 end,
      ${GOLD_1.id}, ${GOLD_1.version}, '{"currency":"EUR","lines":[],"totalMinor":10000}', 'EUR',
      10000, case when ${isBack} then uuidv7() end
    from (select n, ${pickUpAt} as at, 1 + n % (select count(*) from car) as car,
        1 + floor(random() * ${CUSTOMERS}::int)::bigint as renter,
        'B' || lpad((1 + n % ${branches}::int)::text, 2, '0') as branch
        from generate_series(1, ${count}::int) n offset 0) one
      join renter on renter.n = one.renter join car on car.n = one.car`;
}

/** Past ones hold no vehicle here, so that the constraint of the calendar need not be rebuilt. */
function spans(): RawBuilder<unknown> {
  return sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
      turnaround_minutes, vehicle_id, grip)
    select 'rental', r.id, r.class_id, r.branch_id, r.branch_id, tstzrange(r.pick_up_at, r.due_at),
      30, case when r.grip = 'tentative' then car.id end, r.grip
    from (
      select *, case when status = 'closed' then 'released'
          when pick_up_at > now() or (n / 10) % 20 = 0 then 'unassigned' else 'tentative' end as grip
      from (select *, row_number() over (partition by status, pick_up_at < now()) as n
        from rentals.rental where status <> 'active') all_of_them
    ) r left join car on car.n = r.n`;
}
