// What a branch's desk lets pass, when it asks after a vehicle, and what it is shown of the proof.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const TERMS = 'vehicles.desk_terms(text)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table vehicles.branch
      add column undo_minutes int not null default 15 check (undo_minutes between 0 and 1440),
      add column undo_km int not null default 5 check (undo_km between 0 and 1000),
      add column not_returned_mail_hours int not null default 2
        check (not_returned_mail_hours >= 0),
      add column not_returned_call_hours int not null default 24,
      add column not_returned_manager_hours int not null default 72
        check (not_returned_manager_hours <= 240),
      add column early_check_out_minutes int not null default 60
        check (early_check_out_minutes between 0 and 10080),
      add constraint branch_not_returned_in_steps check (
        not_returned_mail_hours < not_returned_call_hours
        and not_returned_call_hours < not_returned_manager_hours)`.execute(db);
  await sql`create index fleet_difference_of_branch on vehicles.fleet_difference (branch_id)
    where resolved_at is null`.execute(db);
  await sql`
    create function vehicles.desk_terms(p_branch text) returns jsonb
    language sql stable security definer
    set search_path = vehicles, pg_temp set app.scope = '*'
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
      select jsonb_build_object('undoMinutes', undo_minutes, 'undoKm', undo_km,
        'notReturnedMailHours', not_returned_mail_hours,
        'notReturnedCallHours', not_returned_call_hours,
        'notReturnedManagerHours', not_returned_manager_hours,
        'earlyCheckOutMinutes', early_check_out_minutes)
      from branch where id = p_branch
    $$`.execute(db);
  await ownedBy(db, 'vehicles_rw', [TERMS]);
  await publishedTo(db, 'rentals_rw', [TERMS]);
}
