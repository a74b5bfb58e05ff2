// All that some schemas hold, as text: to look for what nobody may find there.
import { type Kysely, sql } from 'kysely';
import type { DB } from '../../db/schema.ts';

/** Everything that the people and events schemas hold; bytes as the characters they are. */
export function dump(owner: Kysely<DB>): Promise<string> {
  return owner.transaction().execute(async (tx) => {
    await sql`set local bytea_output = 'escape'`.execute(tx);
    const tables = await sql<{ name: string }>`select format('%I.%I', table_schema, table_name)
        as name from information_schema.tables
      where table_schema in ('people', 'events') and table_type = 'BASE TABLE'`.execute(tx);
    const texts: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await sql<{ text: string | null }>`select string_agg(t::text, ' ') as text
        from ${sql.table(name)} t`.execute(tx);
      texts.push(rows[0]?.text ?? '');
    }
    return texts.join('\n');
  });
}
