// The calendar's functions are planned once a connection, and by index, however young the company.
import { type Kysely, sql } from 'kysely';

/**
 * A company begins with an empty calendar: what is planned then reads whole tables, and stays in the
 * connection until the server has counted anew, while the calendar grows. And what is planned at
 * every call costs more than it reads. Readings are left out: they come by the thousand, in sets.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    do $$
    declare
      v_function regprocedure;
    begin
      for v_function in
        select oid from pg_proc
        where pronamespace = 'vehicles'::regnamespace and prokind = 'f'
          and proconfig is not null and proname !~ 'reading|meter|dtc|segment|odometer'
      loop
        execute format('alter function %s set enable_seqscan = off', v_function);
        execute format('alter function %s set plan_cache_mode = force_generic_plan', v_function);
      end loop;
    end $$`.execute(db);
}
