// The outbox works a row's shard out when a relay reads it, not when a business transaction writes.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table events.outbox drop column shard, drop constraint outbox_seq_check`.execute(
    db,
  );
  await sql`alter table events.outbox add column shard smallint
    generated always as (get_byte(uuid_send(aggregate_id), 15) & 15) virtual`.execute(db);
}
