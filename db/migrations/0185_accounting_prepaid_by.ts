// A prepayment is its customer's: no invoice of another deducts it.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await replaceLeft(db);
  await guardDeductions(db);
}

/** As in migration 0163, with `customerId`: who prepaid it. */
async function replaceLeft(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function accounting.prepaid_left(p_rental uuid) returns jsonb
    language plpgsql security definer set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
    begin
      perform pg_advisory_xact_lock(hashtextextended('rental money ' || p_rental, 0));
      return (select coalesce(jsonb_agg(jsonb_build_object('prepaymentId', i.id,
          'customerId', i.customer_id,
          'rateBp', l.rate_bp, 'baseMinor', l.base_minor, 'vatMinor', l.vat_minor)
          order by i.id, l.rate_bp desc), '[]')
        from invoice i, taxes_left(i.id) l
        where i.rental_id = p_rental and i.kind = 386 and (l.base_minor, l.vat_minor) <> (0, 0));
    end $$`.execute(db);
}

/** At the row, so that documents of before, which are complete, stay as they are. */
async function guardDeductions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.refuse_foreign_deduction() returns trigger language plpgsql
    set search_path = accounting, pg_temp set enable_seqscan = off as $$
    begin
      if not exists (select from invoice i join invoice p on p.customer_id = i.customer_id
          where i.id = new.invoice_id and p.id = new.prepayment_id) then
        raise exception 'An invoice deducts what its own customer prepaid.'
          using errcode = 'FC001';
      end if;
      return new;
    end $$`.execute(db);
  await sql`create trigger deduction_of_its_customer before insert
    on accounting.prepayment_deduction
    for each row execute function accounting.refuse_foreign_deduction()`.execute(db);
}
