// The audit log: who did what, when and why. Written in the effect's transaction, never changed.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table people.audit_entry (
      id uuid primary key default uuidv7(),
      at timestamptz not null default now(),
      actor text not null check (actor <> ''),
      action text not null,
      subject_type text not null,
      subject_id text not null,
      command_id text,
      reason text,
      before jsonb,
      after jsonb
    )`.execute(db);
  await sql`create index audit_entry_subject on people.audit_entry (subject_type, subject_id, at)`.execute(
    db,
  );
  await sql`
    create function people.refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception 'The audit log is append-only.' using errcode = 'restrict_violation';
    end $$`.execute(db);
  await sql`create trigger audit_entry_append_only before update or delete on people.audit_entry
    for each row execute function people.refuse_change()`.execute(db);
  await sql`create trigger audit_entry_no_truncate before truncate on people.audit_entry
    for each statement execute function people.refuse_change()`.execute(db);
  await sql`alter table people.audit_entry owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on people.audit_entry to people_rw`.execute(db);
  await sql`grant select on people.audit_entry to api_read`.execute(db);
  await publishRecordAudit(db);
}

/** Published to every domain: the actor is the transaction's principal, never an argument. */
async function publishRecordAudit(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function people.record_audit(
      p_action text, p_subject_type text, p_subject_id text, p_command_id text,
      p_reason text, p_before jsonb, p_after jsonb
    ) returns void
    language sql security definer set search_path = people, pg_temp as $$
      insert into audit_entry
        (actor, action, subject_type, subject_id, command_id, reason, before, after)
      values (current_setting('app.principal'), p_action, p_subject_type, p_subject_id,
        p_command_id, p_reason, p_before, p_after)
    $$`.execute(db);
  const record = sql`function people.record_audit(text, text, text, text, text, jsonb, jsonb)`;
  await sql`alter ${record} owner to people_rw`.execute(db);
  await sql`revoke all on ${record} from public`.execute(db);
  await sql`grant execute on ${record}
    to vehicles_rw, rentals_rw, maintenance_rw, accounting_rw, people_rw`.execute(db);
  await sql`grant usage on schema people
    to vehicles_rw, rentals_rw, maintenance_rw, accounting_rw`.execute(db);
}
