// Who pays a rental beside or instead of its payer, and what a customer may owe at most.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const EXPOSURE = 'accounting.exposure_of(uuid, text)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createSplit(db);
  await createShares(db);
  await guardShares(db);
  for (const table of ['payer_split', 'payer_share']) await own(db, table);
  await sql`grant update (version, updated_at) on rentals.payer_split to rentals_rw`.execute(db);
  await createExposure(db);
  await ownedBy(db, 'accounting_rw', [EXPOSURE]);
  await publishedTo(db, 'rentals_rw', [EXPOSURE]);
}

async function createSplit(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.payer_split (
      rental_id uuid primary key references rentals.rental,
      version int not null default 1,
      updated_at timestamptz not null default now()
    )`.execute(db);
}

/**
 * Those of the split's version count; earlier ones stay as they were. Lines are assigned whole by their code or its first part, what is left by hundredths of a per cent;
 * the primary payer has the rest. A voucher is invoiced at its own net rate instead of its lines'.
 */
async function createShares(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.payer_share (
      rental_id uuid not null references rentals.payer_split,
      version int not null check (version > 0),
      position smallint not null check (position between 1 and 10),
      payer_id uuid not null references rentals.customer,
      kind text not null check (kind in ('renter', 'insurer', 'corporate', 'voucher')),
      covers text[] not null default '{}',
      percent_bp int not null default 0 check (percent_bp between 0 and 10000),
      voucher_net_minor bigint check (voucher_net_minor > 0),
      is_primary boolean not null default false,
      primary key (rental_id, version, position),
      constraint payer_share_primary_has_the_rest check (not is_primary or percent_bp = 0),
      constraint payer_share_pays_something
        check (is_primary or percent_bp > 0 or cardinality(covers) > 0),
      constraint payer_share_voucher check (case kind
        when 'voucher' then voucher_net_minor is not null and percent_bp = 0
          and cardinality(covers) > 0 and not is_primary
        else voucher_net_minor is null end)
    )`.execute(db);
  await sql`create unique index payer_share_one_primary on rentals.payer_share
    (rental_id, version) where is_primary`.execute(db);
  await sql`create unique index payer_share_one_document on rentals.payer_share
    (rental_id, version, payer_id)`.execute(db);
  await sql`create index payer_share_by_payer on rentals.payer_share (payer_id)`.execute(db);
}

/** Until the vehicle is back; together never more than the whole, and always somebody for the rest. */
async function guardShares(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.guard_payer_shares() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    begin
      perform from rental r where r.id = coalesce(new.rental_id, old.rental_id)
        and r.status in ('requested', 'reserved', 'active') for share;
      if not found then
        raise exception 'The payers of a rental that is over do not change.'
          using errcode = 'check_violation', constraint = 'payer_share_before_return';
      end if;
      return coalesce(new, old);
    end $$`.execute(db);
  await sql`create trigger guard_payer_shares before insert or update or delete
    on rentals.payer_share for each row execute function rentals.guard_payer_shares()`.execute(db);
  await sql`
    create function rentals.complete_payer_split() returns trigger language plpgsql
    set search_path = rentals, pg_temp as $$
    begin
      perform from payer_share s where s.rental_id = new.rental_id and s.version = new.version
        having count(*) filter (where s.is_primary) <> 1 or sum(s.percent_bp) > 10000;
      if found then
        raise exception 'One payer has the rest, and the shares are no more than the whole.'
          using errcode = 'check_violation', constraint = 'payer_share_whole';
      end if;
      return null;
    end $$`.execute(db);
  await sql`create constraint trigger complete_payer_split after insert or update
    on rentals.payer_split deferrable initially deferred
    for each row execute function rentals.complete_payer_split()`.execute(db);
}

async function own(db: Kysely<unknown>, table: string): Promise<void> {
  const name = sql.id('rentals', table);
  await sql`alter table ${name} owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on ${name} to rentals_rw`.execute(db);
  await sql`grant select on ${name} to api_read`.execute(db);
  const rule = sql`exists (select from rentals.rental r where r.id = rental_id)`;
  await sql`alter table ${name} enable row level security`.execute(db);
  await sql`create policy in_scope on ${name} using (${rule}) with check (${rule})`.execute(db);
}

/**
 * What a customer owes by the books: documents that are open, less prepayments that none used up.
 * Those of every branch count, whoever asks.
 */
async function createExposure(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.exposure_of(p_customer uuid, p_currency text) returns bigint
    language plpgsql stable security definer set search_path = accounting, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      return (select coalesce(sum(o.due_minor - o.settled_minor), 0) from open_item o
          where o.customer_id = p_customer and o.currency = p_currency
            and o.settled_minor < o.due_minor)
        - (select coalesce(sum(l.base_minor + l.vat_minor), 0)
          from invoice i, taxes_left(i.id) l
          where i.customer_id = p_customer and i.currency = p_currency and i.kind = 386);
    end $$`.execute(db);
}
