// When the person of a session last proved again who they are: asked before sensitive changes.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table people.session add column proved_at timestamptz`.execute(db);
}
