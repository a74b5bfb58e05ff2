// What gateways tell by themselves: their notices, each taken once, and disputes over payments.
import { type Kysely, sql } from 'kysely';

const KNOWN = sql`coalesce(current_setting('app.principal', true), '') <> ''
  and current_setting('app.scope', true) = '*'`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await createNotice(db);
  await createDispute(db);
  await guardDispute(db);
  await stopCharges(db);
  for (const table of ['gateway_notice', 'dispute']) {
    const name = sql.id('rentals', table);
    await sql`alter table ${name} owner to forecourt_owner`.execute(db);
    await sql`grant select, insert on ${name} to rentals_rw`.execute(db);
    await sql`grant select on ${name} to api_read`.execute(db);
    await sql`alter table ${name} enable row level security`.execute(db);
  }
  await sql`grant update (changed) on rentals.gateway_notice to rentals_rw`.execute(db);
  await sql`grant update on rentals.dispute to rentals_rw`.execute(db);
  await sql`create policy in_scope on rentals.gateway_notice
    using ((select ${KNOWN})) with check ((select ${KNOWN}))`.execute(db);
  const rule = sql`(select ${KNOWN})
    or exists (select from rentals.rental p where p.id = rental_id)`;
  await sql`create policy in_scope on rentals.dispute
    using (${rule}) with check (${rule})`.execute(db);
}

/** A gateway repeats a notice until it is answered: its id is taken once, in its effect's transaction. */
async function createNotice(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.gateway_notice (
      gateway text not null check (gateway in ('simulated', 'stripe')),
      id text not null check (length(id) between 1 and 255),
      type text not null,
      rental_id uuid,
      -- Whether it changed anything: then the deposit's workflow hears of each repetition too.
      changed boolean not null default false,
      received_at timestamptz not null default now(),
      primary key (gateway, id)
    )`.execute(db);
}

/** A renter's bank took a payment back. `rental_id` is its hold's, here for the policy. */
async function createDispute(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.dispute (
      id uuid primary key,
      rental_id uuid not null references rentals.rental,
      authorisation_id uuid not null references rentals.authorisation,
      gateway text not null,
      gateway_ref text not null,
      amount_minor bigint not null check (amount_minor > 0),
      fee_minor bigint not null check (fee_minor >= 0),
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      state text not null default 'open' check (state in ('open', 'won', 'lost', 'written_off')),
      opened_at timestamptz not null,
      opened_entry_id uuid not null unique,
      closed_at timestamptz,
      ended_entry_id uuid unique,
      approval_id uuid,
      version int not null default 1,
      unique (gateway, gateway_ref),
      constraint dispute_closed check ((state = 'open') = (closed_at is null)),
      constraint dispute_posted
        check ((state in ('won', 'written_off')) = (ended_entry_id is not null)),
      constraint dispute_four_eyes check ((state = 'written_off') = (approval_id is not null))
    )`.execute(db);
  await sql`create index dispute_of_rental on rentals.dispute (rental_id, id)`.execute(db);
  await sql`create index dispute_unsettled on rentals.dispute (id)
    where state in ('open', 'lost')`.execute(db);
}

async function guardDispute(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_dispute_change() returns trigger language plpgsql as $$
    begin
      if new.version <> old.version + 1
        or (old.state, new.state) not in (('open', 'won'), ('open', 'lost'), ('lost', 'written_off'))
        or (new.id, new.rental_id, new.authorisation_id, new.gateway, new.gateway_ref,
            new.amount_minor, new.fee_minor, new.currency, new.opened_at, new.opened_entry_id)
          is distinct from (old.id, old.rental_id, old.authorisation_id, old.gateway,
            old.gateway_ref, old.amount_minor, old.fee_minor, old.currency, old.opened_at,
            old.opened_entry_id)
        or (old.closed_at is not null and new.closed_at is distinct from old.closed_at) then
        raise exception 'Dispute % cannot go from % to % so.', old.id, old.state, new.state
          using errcode = 'check_violation', constraint = 'dispute_transition';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger dispute_transition before update on rentals.dispute
    for each row execute function rentals.refuse_dispute_change()`.execute(db);
}

/** Whoever said that a charge was not theirs is not charged again; and nothing is given back twice. */
async function stopCharges(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_disputed_order() returns trigger language plpgsql as $$
    begin
      if new.kind <> 'release' and exists (select from rentals.dispute d
          join rentals.authorisation a on a.rental_id = d.rental_id
          where a.id = new.authorisation_id and d.state <> 'won'
            and (new.kind <> 'refund' or d.authorisation_id = a.id)) then
        raise exception 'The rental''s payments are disputed: no % any more.', new.kind
          using errcode = 'check_violation', constraint = 'payment_attempt_undisputed';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger payment_attempt_undisputed before insert on rentals.payment_attempt
    for each row execute function rentals.refuse_disputed_order()`.execute(db);
}
