// An approval is good for one deed: whoever does it marks it used in the same transaction.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const USE_APPROVAL = 'people.use_approval(uuid, text, text, text)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table people.approval add column used_at timestamptz,
    add constraint approval_used_after_approved
      check (used_at is null or (status = 'approved' and used_at >= decided_at))`.execute(db);
  await sql`grant update (used_at) on people.approval to people_rw`.execute(db);
  // False when there is none for exactly this, at this branch or for the company, or it was used.
  await sql`
    create function people.use_approval(
      p_approval uuid, p_kind text, p_subject text, p_branch text default null
    ) returns boolean
    language plpgsql security definer set search_path = people, pg_temp as $$
    begin
      update approval set used_at = greatest(now(), decided_at)
      where id = p_approval and kind = p_kind and subject_id = p_subject
        and status = 'approved' and used_at is null
        and (p_branch is null or branch_id is null or branch_id = p_branch);
      return found;
    end $$`.execute(db);
  await ownedBy(db, 'people_rw', [USE_APPROVAL]);
  for (const role of ['rentals_rw', 'accounting_rw', 'vehicles_rw']) {
    await publishedTo(db, role, [USE_APPROVAL]);
  }
}
