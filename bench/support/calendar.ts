// A calendar as a company of some years has it, loaded in bulk: past, running and future rentals.
import { sql } from 'kysely';
import type { Db } from '../../db/client.ts';

type Definition = { readonly name: string; readonly definition: string };

/**
 * One rental of one to three days each six days for every vehicle, none overlapping, half of them
 * past. What the constraints would check a row at a time they check at once at the end.
 */
export async function loadRentals(owner: Db, perVehicle: number): Promise<void> {
  const rebuild = await withoutIndexes(owner);
  // Foreign keys hold by construction: every row is made from a vehicle's own row.
  await owner.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx);
    await spansOf(perVehicle).execute(tx);
  });
  await rebuild();
  // A company of some years has been vacuumed, and its past written out, long since.
  await sql`vacuum (analyze, freeze)`.execute(owner);
  await sql`checkpoint`.execute(owner);
}

function spansOf(perVehicle: number) {
  return sql`insert into vehicles.span
      (kind, ref, class_id, branch_out, branch_in, during, turnaround_minutes, vehicle_id, grip)
    select 'rental', uuidv7(), class_id, branch_id, branch_id, tstzrange(start_at, end_at), 30, id,
      case
        when start_at > now() then 'tentative'
        -- Vehicles whose time is nearly over are back: those that are late are not measured.
        when end_at > now() + interval '1 day' then 'out'
        else 'firm'
      end
    from (
      select v.id, v.class_id, v.branch_id, start_at,
        start_at + interval '1 day' + random() * interval '2 days' as end_at
      from (select *, random() * interval '6 days' as shift from vehicles.vehicle offset 0) v,
        generate_series(${sql.lit(-perVehicle / 2)}, ${sql.lit(perVehicle / 2 - 1)}) slot,
        lateral (select now() + v.shift + slot * interval '6 days'
          + random() * interval '3 days' as start_at offset 0) s
      offset 0
    ) rentals`;
}

/** Drops every index and constraint of the calendar that costs a row; answers how to rebuild. */
async function withoutIndexes(owner: Db): Promise<() => Promise<void>> {
  const { rows: constraints } = await sql<Definition>`
    select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint
    where conrelid = 'vehicles.span'::regclass and contype in ('p', 'u', 'x')`.execute(owner);
  const { rows: indexes } = await sql<Definition>`
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
    from pg_index where indrelid = 'vehicles.span'::regclass
      and not exists (select from pg_constraint where conindid = indexrelid)`.execute(owner);
  for (const { name } of constraints) {
    await sql`alter table vehicles.span drop constraint ${sql.id(name)}`.execute(owner);
  }
  for (const { name } of indexes) await sql`drop index ${sql.raw(name)}`.execute(owner);
  return async () => {
    const builds = [
      ...indexes.map(({ definition }) => definition),
      ...constraints.map(
        ({ name, definition }) => `alter table vehicles.span add constraint ${name} ${definition}`,
      ),
    ];
    await owner.transaction().execute(async (tx) => {
      await sql`set local maintenance_work_mem = '512MB'`.execute(tx);
      for (const build of builds) await sql.raw(build).execute(tx);
    });
  };
}
