// Until when a prepaid rental is kept is shown to people too, who look with no right to write.
import type { Kysely } from 'kysely';
import { publishedTo } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await publishedTo(db, 'api_read', ['accounting.is_prepaid(uuid)', 'vehicles.zone_of(text)']);
}
