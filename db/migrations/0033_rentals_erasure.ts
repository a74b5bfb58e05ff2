// Erasure: when a customer's details went, and the question whether two people agreed to it.
import { type Kysely, type RawBuilder, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table rentals.customer
    add column contacts_erased_at timestamptz,
    add column erased_at timestamptz check (erased_at >= contacts_erased_at)`.execute(db);
  // Published to the domains whose commands need an approval: whether it is for exactly this.
  await sql`
    create function people.is_approved(p_approval uuid, p_kind text, p_subject text)
    returns boolean language sql stable security definer set search_path = people, pg_temp as $$
      select exists (select from approval where id = p_approval and kind = p_kind
        and subject_id = p_subject and status = 'approved')
    $$`.execute(db);
  const approved = sql`function people.is_approved(uuid, text, text)`;
  await publish(db, approved);
  await sql`grant execute on ${approved} to rentals_rw, accounting_rw, vehicles_rw`.execute(db);
  // Sessions stay as facts, without device and address; links and mails go.
  await sql`
    create function people.forget_person(p_subject text, p_email text)
    returns void language sql security definer set search_path = people, pg_temp as $$
      update session set ended_at = coalesce(ended_at, now()),
          end_reason = coalesce(end_reason, 'erased'), device = 'erased', address = null
        where subject = p_subject;
      delete from single_use_token where subject = p_subject;
      delete from mail where lower(to_address) = lower(p_email);
    $$`.execute(db);
  const forget = sql`function people.forget_person(text, text)`;
  await publish(db, forget);
  await sql`grant execute on ${forget} to rentals_rw`.execute(db);
}

async function publish(db: Kysely<unknown>, fn: RawBuilder<unknown>): Promise<void> {
  await sql`alter ${fn} owner to people_rw`.execute(db);
  await sql`revoke all on ${fn} from public`.execute(db);
}
