// Forgets old readings of devices, a meter at a time and in small batches.
import { sql } from 'kysely';
import { type Db, transact } from '../client.ts';

const UPKEEP = 'system:reading-upkeep';
/** Far below what a statement may take. */
const BATCH = 2_000;

/**
 * Removes readings of devices that are older than so many days (at least 100), but the newest of each
 * meter and segment, and those that a person had to decide on. What is read off the dash stays. Safe
 * to repeat, and to run twice at once. Answers how many went.
 */
export async function forgetOldReadings(db: Db, keptDays: number): Promise<number> {
  let gone = 0;
  let meter = await meterBeyond(db, 0, keptDays);
  while (meter !== null) {
    const batch = await forgetBatch(db, meter, keptDays);
    gone += batch;
    if (batch < BATCH) meter = await meterBeyond(db, meter, keptDays);
  }
  return gone;
}

function before(keptDays: number) {
  return sql`now() - make_interval(days => ${keptDays}::int)`;
}

async function meterBeyond(db: Db, after: number, keptDays: number): Promise<number | null> {
  return transact(db, 'vehicles_rw', UPKEEP, async (tx) => {
    const { rows } = await sql<{ id: number }>`select m.id from vehicles.meter m
      where m.id > ${after} and m.source <> 'dash' and exists (
        select from vehicles.reading r
        where r.meter_id = m.id and r.taken_at < ${before(keptDays)})
      order by m.id limit 1`.execute(tx);
    return rows[0]?.id ?? null;
  });
}

function forgetBatch(db: Db, meter: number, keptDays: number): Promise<number> {
  return transact(db, 'vehicles_rw', UPKEEP, async (tx) => {
    const { rows } = await sql<{ gone: number }>`select
      vehicles.forget_readings(${meter}, ${before(keptDays)}, ${BATCH}) as gone`.execute(tx);
    return rows[0]?.gone ?? 0;
  });
}
