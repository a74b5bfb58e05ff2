// What a branch's day has of documents and vehicles ends with its close, and the next day begins there.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const MOVES = 'rentals.moves_between(text, timestamptz, timestamptz)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop index accounting.invoice_of_branch`.execute(db);
  await sql`create index invoice_of_branch on accounting.invoice (branch_id, created_at)`.execute(
    db,
  );
  await createMoves(db);
  await ownedBy(db, 'rentals_rw', [MOVES]);
  await publishedTo(db, 'accounting_rw', [MOVES]);
}

/** Rentals that began and ended at the branch from one instant on until another. */
async function createMoves(db: Kysely<unknown>): Promise<void> {
  await sql`drop function rentals.moves_of_day(text, date)`.execute(db);
  await sql`
    create function rentals.moves_between(p_branch text, p_from timestamptz, p_to timestamptz)
    returns table (rentals_out bigint, rentals_in bigint)
    language plpgsql stable security definer set search_path = rentals, pg_temp
    set app.scope = '*' as $$
    begin
      return query select
        (select count(*) from rental where branch_id = p_branch
          and checked_out_at >= p_from and checked_out_at < p_to),
        (select count(*) from rental where return_branch_id = p_branch
          and checked_in_at >= p_from and checked_in_at < p_to);
    end $$`.execute(db);
}
