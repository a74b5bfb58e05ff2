// The documents of a billed cycle, one for each payer, with what each charges of the price.
import { type Kysely, sql } from 'kysely';
import { ownedBy } from './support/functions.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createDocument(db);
  await takeOver(db);
  await guardDocument(db);
  await limitRows(db);
  await replaceBooked(db);
}

/**
 * `lines` are in the plan's price basis, gross where its prices include VAT: [{code, vatRateBp,
 * amountMinor}]. `vat` is the document's.
 */
async function createDocument(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rentals.cycle_document (
      rental_id uuid not null,
      cycle int not null,
      payer_id uuid not null references rentals.customer,
      lines jsonb not null,
      vat jsonb not null,
      total_minor bigint not null check (total_minor > 0),
      invoice_id uuid not null unique,
      invoice_number text not null,
      -- The end of its due date: unpaid from then on, the rental is in arrears.
      payable_by timestamptz not null,
      created_at timestamptz not null default now(),
      primary key (rental_id, cycle, payer_id),
      foreign key (rental_id, cycle) references rentals.billed_cycle
    )`.execute(db);
  await sql`create index cycle_document_of_payer on rentals.cycle_document (payer_id)`.execute(db);
  await sql`alter table rentals.cycle_document owner to forecourt_owner`.execute(db);
  await sql`grant select, insert on rentals.cycle_document to rentals_rw`.execute(db);
  await sql`grant select on rentals.cycle_document to api_read`.execute(db);
}

/** Cycles of before had one document each; what of it was which line is not known, and is time. */
async function takeOver(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into rentals.cycle_document (rental_id, cycle, payer_id, lines, vat, total_minor,
      invoice_id, invoice_number, payable_by, created_at)
    select b.rental_id, b.cycle, coalesce(r.payer_id, r.customer_id),
      (select jsonb_agg(jsonb_build_object('code', 'time', 'vatRateBp', v->'rateBp',
          'amountMinor', (v->>'baseMinor')::bigint
            + case p.terms->>'pricesInclude' when 'vat' then (v->>'vatMinor')::bigint else 0 end))
        from jsonb_array_elements(b.vat) v),
      b.vat, b.total_minor, b.invoice_id, b.invoice_number, b.payable_by, b.created_at
    from rentals.billed_cycle b join rentals.rental r on r.id = b.rental_id
      join rentals.rate_plan p on p.id = r.plan_id and p.version = r.plan_version
    where b.invoice_id is not null`.execute(db);
}

/** They stay, and those of a cycle are what the cycle says: both at commit, when all are there. */
async function guardDocument(db: Kysely<unknown>): Promise<void> {
  await sql`create trigger cycle_document_stays before update or delete or truncate
    on rentals.cycle_document
    for each statement execute function rentals.refuse_billed_cycle_change()`.execute(db);
  await sql`
    create function rentals.complete_billed_cycle() returns trigger language plpgsql
    security definer set search_path = rentals, pg_temp set app.scope = '*' as $$
    begin
      if (select total_minor from billed_cycle
          where (rental_id, cycle) = (new.rental_id, new.cycle))
        is distinct from (select coalesce(sum(total_minor), 0) from cycle_document
          where (rental_id, cycle) = (new.rental_id, new.cycle)) then
        raise exception 'Cycle % of rental % is not its documents.', new.cycle, new.rental_id
          using errcode = 'check_violation', constraint = 'billed_cycle_is_its_documents';
      end if;
      return null;
    end $$`.execute(db);
  await ownedBy(db, 'rentals_rw', ['rentals.complete_billed_cycle()']);
  for (const table of ['billed_cycle', 'cycle_document']) {
    await sql`create constraint trigger complete_billed_cycle after insert
      on ${sql.id('rentals', table)} deferrable initially deferred
      for each row execute function rentals.complete_billed_cycle()`.execute(db);
  }
}

/** As far as the rental is seen; a customer sees no other payer's. */
async function limitRows(db: Kysely<unknown>): Promise<void> {
  const scope = sql`current_setting('app.scope', true)`;
  const rule = sql`(select coalesce(current_setting('app.principal', true), '') <> ''
      and ${scope} = '*')
    or ((select ${scope} not like 'customer:%')
      or payer_id::text = (select substr(${scope}, 10)))
    and exists (select from rentals.rental p where p.id = rental_id)`;
  await sql`alter table rentals.cycle_document enable row level security`.execute(db);
  await sql`create policy in_scope on rentals.cycle_document
    using (${rule}) with check (${rule})`.execute(db);
}

/** As in migration 0184, with what cycles charged these payers where payers are several. */
async function replaceBooked(db: Kysely<unknown>): Promise<void> {
  await sql`drop function rentals.booked_for(uuid[], text)`.execute(db);
  await sql`
    create function rentals.booked_for(p_customers uuid[], p_currency text)
    returns table (booked_minor bigint, held_minor bigint, billed_minor bigint, price jsonb,
      shares jsonb)
    language plpgsql stable security definer set search_path = rentals, pg_temp
    set app.scope = '*' set enable_seqscan = off as $$
    begin
      return query
        with open as (
          select r.id from rental r where r.payer_id = any (p_customers)
            and r.status in ('requested', 'reserved', 'active')
          union
          select r.id from rental r where r.customer_id = any (p_customers)
            and r.payer_id is null and r.status in ('requested', 'reserved', 'active')
          union
          select r.id from payer_share s join payer_split p using (rental_id, version)
            join rental r on r.id = s.rental_id
            where s.payer_id = any (p_customers)
              and r.status in ('requested', 'reserved', 'active'))
        select r.total_minor - coalesce((select sum(b.total_minor) from billed_cycle b
              where b.rental_id = r.id), 0)::bigint,
          coalesce((select sum(a.amount_minor) from authorisation a
            where a.rental_id = r.id and a.state = 'open' and a.replaced_by is null
              and a.valid_until > now()
              and (a.payer = 'renter') = (r.customer_id = any (p_customers))), 0)::bigint,
          coalesce((select sum(d.total_minor) from cycle_document d
            where d.rental_id = r.id and d.payer_id = any (p_customers)), 0)::bigint,
          case when s.of is not null then r.price end, s.of
        from open join rental r using (id), lateral (
          select jsonb_agg(jsonb_build_object('payerId', s.payer_id, 'kind', s.kind,
              'covers', s.covers, 'percentBp', s.percent_bp,
              'voucherNetMinor', s.voucher_net_minor, 'isPrimary', s.is_primary,
              'paymentDays', s.payment_days)
              order by s.position) as of
          from payer_split p join payer_share s using (rental_id, version)
          where p.rental_id = r.id) s
        where r.currency = p_currency;
    end $$`.execute(db);
  await ownedBy(db, 'rentals_rw', ['rentals.booked_for(uuid[], text)']);
}
