// Shifts that are still open tell their day, so that a counter sees which one was forgotten.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const OPEN = 'accounting.open_shifts(text, date)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index drawer_shift_still_open on accounting.drawer_shift (branch_id, day)
    where state in ('open', 'counting')`.execute(db);
  await sql`drop function ${sql.raw(OPEN)}`.execute(db);
  await sql`
    create function accounting.open_shifts(p_branch text, p_day date)
    returns table (shift_id uuid, drawer text, state text, day date)
    language sql stable security definer set search_path = accounting, pg_temp
    set app.scope = '*' as $$
      select id, drawer, state, day from drawer_shift
      where branch_id = p_branch and day <= p_day and state in ('open', 'counting')
    $$`.execute(db);
  await ownedBy(db, 'accounting_rw', [OPEN]);
  await publishedTo(db, 'rentals_rw', [OPEN]);
  await publishedTo(db, 'api_read', [OPEN]);
}
