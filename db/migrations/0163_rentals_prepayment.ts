// Prepayments: what a renter pays before the hire, with its document, and what goes back of it.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const LEFT = 'accounting.prepaid_left(uuid)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createPrepayment(db);
  await createRefund(db);
  await limitRows(db);
  await guardRows(db);
  await createLeft(db);
  await ownedBy(db, 'accounting_rw', [LEFT]);
  await publishedTo(db, 'rentals_rw', [LEFT]);
}

/** Cash and slips of the terminal name the drawer's shift, as payments on invoices do. */
async function createPrepayment(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.prepayment (
      id uuid primary key,
      rental_id uuid not null references rentals.rental,
      tender text not null check (tender in ('cash', 'bank-transfer', 'card', 'deposit')),
      currency text not null check (currency ~ '^[A-Z]{3}$'),
      amount_minor bigint not null check (amount_minor > 0),
      refunded_minor bigint not null default 0,
      shift_id uuid,
      terminal_batch text check (terminal_batch ~ '^[A-Z0-9/-]{1,35}$'),
      -- Of a transfer or slip: a code, so that it names nobody.
      reference text check (reference ~ '^[A-Z0-9/-]{1,35}$'),
      invoice_id uuid not null unique,
      invoice_number text not null,
      entry_id uuid not null unique,
      received_by text not null default current_setting('app.principal'),
      received_at timestamptz not null default now(),
      version int not null default 1,
      constraint prepayment_refunds_what_was_paid check (refunded_minor between 0 and amount_minor),
      constraint prepayment_names_its_shift
        check ((tender in ('cash', 'card')) = (shift_id is not null)),
      constraint prepayment_names_its_batch
        check ((tender = 'card') = (terminal_batch is not null))
    )`.execute(db);
  await sql`create index prepayment_of_rental on rentals.prepayment (rental_id, id)`.execute(db);
  await sql`alter table rentals.prepayment owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on rentals.prepayment to rentals_rw`.execute(db);
  await sql`grant update (refunded_minor, version) on rentals.prepayment to rentals_rw`.execute(db);
  await sql`grant select on rentals.prepayment to api_read`.execute(db);
}

async function createRefund(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.prepayment_refund (
      id uuid primary key,
      prepayment_id uuid not null references rentals.prepayment,
      tender text not null check (tender in ('cash', 'bank-transfer', 'card')),
      amount_minor bigint not null check (amount_minor > 0),
      reason text not null
        check (reason in ('cancelled', 'shorter', 'overpaid', 'goodwill', 'other')),
      approval_id uuid,
      shift_id uuid,
      entry_id uuid not null unique,
      refunded_by text not null default current_setting('app.principal'),
      refunded_at timestamptz not null default now(),
      constraint prepayment_refund_names_its_shift
        check ((tender = 'cash') = (shift_id is not null))
    )`.execute(db);
  await sql`create index prepayment_refund_of on rentals.prepayment_refund
    (prepayment_id, id)`.execute(db);
  await sql`alter table rentals.prepayment_refund owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on rentals.prepayment_refund to rentals_rw`.execute(db);
  await sql`grant select on rentals.prepayment_refund to api_read`.execute(db);
}

/** In scope with its rental. */
async function limitRows(db: Kysely<unknown>): Promise<void> {
  const rule = sql`exists (select from rentals.rental r where r.id = prepayment.rental_id)`;
  await sql`alter table rentals.prepayment enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.prepayment
    using (${rule}) with check (${rule})`.execute(db);
  const ofIts = sql`exists (select from rentals.prepayment p where p.id = prepayment_id)`;
  await sql`alter table rentals.prepayment_refund enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.prepayment_refund
    using (${ofIts}) with check (${ofIts})`.execute(db);
}

/** What was given back never comes again. */
async function guardRows(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function rentals.guard_prepayment() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' or tg_table_name = 'prepayment_refund' then
        raise exception 'What went back stays as it is.' using errcode = 'restrict_violation';
      end if;
      if new.version <> old.version + 1 or new.refunded_minor <= old.refunded_minor then
        raise exception 'A prepayment only goes back, step by step.'
          using errcode = 'restrict_violation';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger guard_prepayment before update or delete on rentals.prepayment
    for each row execute function rentals.guard_prepayment()`.execute(db);
  await sql`create trigger guard_refund before update or delete on rentals.prepayment_refund
    for each row execute function rentals.guard_prepayment()`.execute(db);
}

/**
 * Json [{prepaymentId, rateBp, baseMinor, vatMinor}]: what no invoice deducted yet, oldest first. From
 * here on whoever takes of it waits until the caller's transaction ends.
 */
async function createLeft(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.prepaid_left(p_rental uuid) returns jsonb
    language plpgsql security definer set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
    begin
      perform pg_advisory_xact_lock(hashtextextended('rental money ' || p_rental, 0));
      return (select coalesce(jsonb_agg(jsonb_build_object('prepaymentId', i.id,
          'rateBp', l.rate_bp, 'baseMinor', l.base_minor, 'vatMinor', l.vat_minor)
          order by i.id, l.rate_bp desc), '[]')
        from invoice i, taxes_left(i.id) l
        where i.rental_id = p_rental and i.kind = 386 and (l.base_minor, l.vat_minor) <> (0, 0));
    end $$`.execute(db);
}
