// Waivers: what a person may let go alone, and approvals that are good for their amount alone.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const TAKE = 'people.take_waiver(uuid, text, date, bigint, bigint)';
const USE = 'people.use_waiver_approval(uuid, text, text, bigint)';

export async function up(db: Kysely<unknown>): Promise<void> {
  // As domain/approval.ts has it: per subject, and per person and day, so splitting gains nothing.
  await sql`
    create function people.take_waiver(
      p_staff uuid, p_subject text, p_day date, p_amount bigint, p_limit bigint
    ) returns boolean
    language plpgsql security definer set search_path = people, pg_temp as $$
    declare
      used bigint;
    begin
      perform pg_advisory_xact_lock(hashtextextended('limit ' || p_staff || ' fee-waiver', 0));
      select greatest(coalesce(sum(amount) filter (where subject_id = p_subject), 0),
        coalesce(sum(amount) filter (where day = p_day), 0)) into used
      from limit_use where staff_id = p_staff and kind = 'fee-waiver'
        and (day = p_day or subject_id = p_subject);
      if used + p_amount > p_limit then
        return false;
      end if;
      insert into limit_use (id, staff_id, kind, subject_id, day, amount)
      values (gen_random_uuid(), p_staff, 'fee-waiver', p_subject, p_day, p_amount);
      return true;
    end $$`.execute(db);
  // False when there is none for exactly this amount, or it was used.
  await sql`
    create function people.use_waiver_approval(
      p_approval uuid, p_subject text, p_branch text, p_amount bigint
    ) returns boolean
    language plpgsql security definer set search_path = people, pg_temp as $$
    begin
      if not exists (select from approval where id = p_approval and amount = p_amount) then
        return false;
      end if;
      return use_approval(p_approval, 'fee-waiver', p_subject, p_branch);
    end $$`.execute(db);
  await ownedBy(db, 'people_rw', [TAKE, USE]);
  await publishedTo(db, 'rentals_rw', [TAKE, USE]);
}
