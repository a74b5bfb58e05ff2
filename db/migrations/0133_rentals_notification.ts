// Notifications: a row for each letter to a customer, written down before the letter goes out.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createNotification(db);
  await guardTransitions(db);
  await limitRows(db);
  await publishQueue(db);
  // What a customer may decline; the other letters belong to the contract or to safety.
  await sql`alter table rentals.customer add column opt_outs text[] not null default '{}'
    constraint customer_opts_out_of_optional_kinds
      check (opt_outs <@ array['reminder', 'deposit-released'])`.execute(db);
}

/** No address and no text: those are read and made at the moment of sending. */
async function createNotification(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.notification (
      id uuid primary key default uuidv7(),
      fact_id uuid not null,
      kind text not null check (kind in ('confirmation', 'request-confirmed', 'request-declined',
        'reminder', 'overdue', 'invoice', 'deposit-released', 'deposit-expiring', 'recall')),
      rental_id uuid not null references rentals.rental,
      subject_id uuid not null,
      occasion text not null check (occasion <> ''),
      fact_at timestamptz not null,
      state text not null default 'queued' check (state in ('queued', 'sending', 'sent', 'failed',
        'unknown', 'skipped')),
      reason text check (reason <> ''),
      tries int not null default 0 check (tries >= 0),
      next_at timestamptz not null default now(),
      sending_at timestamptz,
      sent_at timestamptz,
      -- Persons who had it sent again, and the last one's command.
      resends int not null default 0 check (resends >= 0),
      resend_id uuid,
      version int not null default 1,
      created_at timestamptz not null default now(),
      constraint notification_once_a_fact unique (fact_id, kind),
      constraint notification_once_an_occasion unique (rental_id, kind, occasion),
      constraint notification_sent_when check ((state = 'sent') = (sent_at is not null)),
      constraint notification_says_why
        check (state not in ('failed', 'unknown', 'skipped') or reason is not null)
    )`.execute(db);
  const on = sql`on rentals.notification`;
  await sql`create index notification_due ${on} (next_at, id) where state = 'queued'`.execute(db);
  await sql`create index notification_under_way ${on} (sending_at) where state = 'sending'`.execute(
    db,
  );
  await sql`create index notification_by_state ${on} (state, id)`.execute(db);
  await sql`create index notification_of_rental ${on} (rental_id, id)`.execute(db);
  await sql`alter table rentals.notification owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update ${on} to rentals_rw`.execute(db);
  await sql`grant select ${on} to api_read`.execute(db);
}

/** What has left the process, or may have, goes out again only when a person says so. */
async function guardTransitions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_notification_change() returns trigger language plpgsql as $$
    declare
      is_again boolean := new.resends = old.resends + 1 and new.resend_id is not null
        and new.resend_id is distinct from old.resend_id;
    begin
      if new.version <> old.version + 1
        or (new.state <> old.state and (old.state, new.state) not in (
          ('queued', 'sending'), ('sending', 'sent'), ('sending', 'failed'), ('sending', 'unknown'),
          ('sending', 'skipped'), ('sending', 'queued'))
          and not (is_again and new.state = 'queued'
            and old.state in ('sent', 'failed', 'unknown', 'skipped')))
        or (new.resends <> old.resends
          and not (is_again and old.state in ('sent', 'failed', 'unknown', 'skipped')))
        or (new.id, new.fact_id, new.kind, new.rental_id, new.subject_id, new.occasion)
          is distinct from (old.id, old.fact_id, old.kind, old.rental_id, old.subject_id,
            old.occasion) then
        raise exception 'Notification % cannot go from % to % so.', old.id, old.state, new.state
          using errcode = 'check_violation', constraint = 'notification_transition';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger notification_transition before update on rentals.notification
    for each row execute function rentals.refuse_notification_change()`.execute(db);
}

/** As far as the rental itself is seen. */
async function limitRows(db: Kysely<unknown>): Promise<void> {
  const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or exists (select from rentals.rental p where p.id = rental_id)`;
  await sql`alter table rentals.notification enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.notification
    using (${rule}) with check (${rule})`.execute(db);
}

/**
 * In the transaction of the consumer's inbox, so a fact is either noted with its letter or not. Where
 * its rental is not here (a database set back to an earlier day) there is nobody to write to.
 */
async function publishQueue(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.queue_notifications(p_notices jsonb) returns void
    language sql security definer set search_path = rentals, pg_temp as $$
      insert into notification (fact_id, kind, rental_id, subject_id, occasion, fact_at)
      select n."factId", n.kind, n."rentalId", n."subjectId", n.occasion, n."factAt"
      from jsonb_to_recordset(p_notices) as n ("factId" uuid, kind text, "rentalId" uuid,
        "subjectId" uuid, occasion text, "factAt" timestamptz)
      join rental r on r.id = n."rentalId"
      on conflict do nothing
    $$`.execute(db);
  const queue = ['rentals.queue_notifications(jsonb)'];
  await ownedBy(db, 'rentals_rw', queue);
  await publishedTo(db, 'events_rw', queue);
  await sql`grant usage on schema rentals to events_rw`.execute(db);
}
