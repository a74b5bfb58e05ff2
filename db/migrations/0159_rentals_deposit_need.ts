// Deposits that rentals need: no keys go out without one or a waiver, none is forgotten at the end.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // As the plan asked when the keys went out or the rental became longer; 0 is no deposit.
  await sql`alter table rentals.rental add column deposit_minor bigint not null default 0
    constraint rental_deposit_minor check (deposit_minor >= 0)`.execute(db);
  await createWaiver(db);
  await createSecured(db);
  await guardRental(db);
}

/** What a manager lets go of a deposit. Reasons are codes: free text may name persons. */
async function createWaiver(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.deposit_waiver (
      id uuid primary key,
      rental_id uuid not null references rentals.rental,
      amount_minor bigint not null check (amount_minor > 0),
      reason text not null check (reason in ('known-customer', 'no-card', 'goodwill', 'other')),
      approval_id uuid unique,
      waived_by text not null,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index deposit_waiver_of_rental on rentals.deposit_waiver (rental_id)`.execute(
    db,
  );
  await sql`alter table rentals.deposit_waiver owner to forecourt_owner`.execute(db);
  // Never changed: a waiver that was given stands.
  await sql`grant select, insert on rentals.deposit_waiver to rentals_rw`.execute(db);
  await sql`grant select on rentals.deposit_waiver to api_read`.execute(db);
  const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
      and current_setting('app.scope', true) = '*')
    or exists (select from rentals.rental p where p.id = rental_id)`;
  await sql`alter table rentals.deposit_waiver enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.deposit_waiver
    using (${rule}) with check (${rule})`.execute(db);
}

/** Minor units: the hold that counts, as long as it is valid, and what was waived. */
async function createSecured(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.deposit_secured(p_rental uuid) returns bigint
    language sql stable set search_path = rentals, pg_temp as $$
      select coalesce((select sum(amount_minor) from authorisation where rental_id = p_rental
          and purpose = 'deposit' and state = 'open' and replaced_by is null
          and valid_until > now()), 0)::bigint
        + coalesce((select sum(amount_minor) from deposit_waiver
          where rental_id = p_rental), 0)::bigint
    $$`.execute(db);
  const name = sql`rentals.deposit_secured(uuid)`;
  await sql`alter function ${name} owner to forecourt_owner`.execute(db);
  await sql`revoke all on function ${name} from public`.execute(db);
  await sql`grant execute on function ${name} to rentals_rw, api_read`.execute(db);
}

async function guardRental(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.refuse_unsecured() returns trigger language plpgsql as $$
    begin
      if new.deposit_minor > rentals.deposit_secured(new.id) then
        raise exception 'Rental % needs a deposit of %.', new.id, new.deposit_minor
          using errcode = 'check_violation', constraint = 'rental_deposit_held';
      end if;
      return new;
    end $$`.execute(db);
  // What is out already may outlive its hold: then a person is called, and nothing is refused.
  await sql`create trigger rental_deposit_held before update of status, deposit_minor
    on rentals.rental for each row
    when (new.status = 'active' and new.deposit_minor > 0
      and (old.status <> 'active' or new.deposit_minor > old.deposit_minor))
    execute function rentals.refuse_unsecured()`.execute(db);
  await sql`
    create function rentals.refuse_open_deposit() returns trigger language plpgsql as $$
    begin
      if exists (select from rentals.authorisation where rental_id = new.id
          and state in ('pending', 'open')) then
        raise exception 'Rental % still has a hold on a card.', new.id
          using errcode = 'check_violation', constraint = 'rental_closed_settled';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger rental_closed_settled before update of status on rentals.rental
    for each row when (new.status = 'closed' and old.status <> 'closed')
    execute function rentals.refuse_open_deposit()`.execute(db);
}
