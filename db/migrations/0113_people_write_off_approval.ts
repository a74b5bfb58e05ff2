// Approvals of an amount: good for one deed of exactly this kind, subject and amount.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const USE = 'people.use_amount_approval(uuid, text, text, text, bigint)';

export async function up(db: Kysely<unknown>): Promise<void> {
  // False when there is none for exactly this amount, or it was used.
  await sql`
    create function people.use_amount_approval(
      p_approval uuid, p_kind text, p_subject text, p_branch text, p_amount bigint
    ) returns boolean
    language plpgsql security definer set search_path = people, pg_temp as $$
    begin
      if not exists (select from approval where id = p_approval and amount = p_amount) then
        return false;
      end if;
      return use_approval(p_approval, p_kind, p_subject, p_branch);
    end $$`.execute(db);
  await ownedBy(db, 'people_rw', [USE]);
  await publishedTo(db, 'rentals_rw', [USE]);
}
