// Held quotes: a price and a vehicle that are kept for a while, until somebody accepts them.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.held_quote (
      id uuid primary key,
      status text not null default 'held'
        check (status in ('held', 'accepted', 'released', 'expired')),
      branch_id text not null,
      return_branch_id text not null,
      class_id text not null,
      customer_id uuid references rentals.customer,
      channel text not null check (channel in ('online', 'corporate')),
      pick_up_at timestamptz not null,
      due_at timestamptz not null check (due_at > pick_up_at),
      held_until timestamptz not null,
      price jsonb not null,
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      total_minor bigint not null check (total_minor >= 0),
      rental_id uuid unique,
      version int not null default 1,
      created_at timestamptz not null default now(),
      constraint held_quote_before_pick_up check (held_until <= pick_up_at - interval '2 hours'),
      constraint held_quote_accepted_by check ((status = 'accepted') = (rental_id is not null))
    )`.execute(db);
  await sql`create index held_quote_open on rentals.held_quote (held_until)
    where status = 'held'`.execute(db);
  await sql`alter table rentals.held_quote owner to forecourt_owner`.execute(db);
  await sql`grant select, insert, update on rentals.held_quote to rentals_rw`.execute(db);
  await sql`grant select on rentals.held_quote to api_read`.execute(db);
  await limitRows(db);
  await guardTransitions(db);
}

/** Like a rental's row: by branch, or one's own. */
async function limitRows(db: Kysely<unknown>): Promise<void> {
  const known = `coalesce(current_setting('app.principal', true), '') <> ''`;
  const scope = `current_setting('app.scope', true)`;
  const rule = sql.raw(`(select ${known} and ${scope} = '*')
    or branch_id = any ((select case when ${known} and ${scope} like 'branches:%'
      then string_to_array(substr(${scope}, 10), ',') end)::text[])
    or customer_id = (select case when ${known} and ${scope} like 'customer:%'
      then substr(${scope}, 10)::uuid end)`);
  await sql`alter table rentals.held_quote enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.held_quote
    using (${rule}) with check (${rule})`.execute(db);
}

/** What was promised stays as it was promised, and ends once. */
async function guardTransitions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_quote_change() returns trigger language plpgsql as $$
    begin
      if old.status <> 'held' or new.version <> old.version + 1
        or (new.price, new.held_until, new.pick_up_at, new.due_at, new.class_id, new.branch_id)
          is distinct from
          (old.price, old.held_until, old.pick_up_at, old.due_at, old.class_id, old.branch_id) then
        raise exception 'Quote % is % and does not change.', old.id, old.status
          using errcode = 'check_violation', constraint = 'held_quote_transition';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger held_quote_transition before update on rentals.held_quote
    for each row execute function rentals.refuse_quote_change()`.execute(db);
}
