// The nightly proof looks at transfers too: how many it saw, what it doubts, and what differs.
import { type Kysely, sql } from 'kysely';

const SUBJECTS = sql.raw(`subject_type in ('rental', 'vehicle', 'quote', 'transfer')`);

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table vehicles.fleet_proof
    add column transfers int not null default 0 check (transfers >= 0)`.execute(db);
  for (const table of ['fleet_doubt', 'fleet_difference']) {
    const name = sql.id(`${table}_subject_type_check`);
    await sql`alter table ${sql.id('vehicles', table)} drop constraint ${name},
      add constraint ${name} check (${SUBJECTS})`.execute(db);
  }
}
