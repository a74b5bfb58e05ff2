// Payments in the books: what a renter owes, what is held of him, and one entry for each payment.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const FUNCTIONS = [
  'accounting.rental_balances(text, uuid, text[])',
  'accounting.payment_fault(text, text, text[])',
  'accounting.post_payment(jsonb)',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  await addAccounts(db);
  await createBalances(db);
  await createFault(db);
  await createPostPayment(db);
  await ownedBy(db, 'accounting_rw', FUNCTIONS);
  await publishedTo(db, 'rentals_rw', FUNCTIONS);
}

/** Entities that were opened before have them too; a code that is taken stays what it is. */
async function addAccounts(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into accounting.account (entity_id, code, name, type, live_balance)
    select e.id, a.code, a.name, a.type, a.live from accounting.legal_entity e,
      (values ('1210', 'Disputed card payments', 'asset', true),
        ('2120', 'Security deposits of renters', 'liability', false),
        ('5400', 'Fees of payment gateways', 'expense', true),
        ('5410', 'Bad debt', 'expense', true)) a (code, name, type, live)
    on conflict do nothing`.execute(db);
}

/**
 * Json {account code: balance in minor units, debit above zero} of one rental. Payments and the final
 * invoice of a rental come one after the other from here on, until the caller's transaction ends:
 * each sees what the one before it did.
 */
async function createBalances(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.rental_balances(p_entity text, p_rental uuid, p_codes text[])
    returns jsonb language plpgsql security definer set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
    begin
      perform pg_advisory_xact_lock(hashtextextended('rental money ' || p_rental, 0));
      return (select jsonb_object_agg(c.code, (select coalesce(sum(l.amount), 0)
          from entry e join line l on l.entry_id = e.id join account a on a.id = l.account_id
          where e.rental_id = p_rental and a.entity_id = p_entity and a.code = c.code))
        from unnest(p_codes) c (code));
    end $$`.execute(db);
}

/**
 * Why a payment could not be posted, as an error's code; null when it can. Asked before a gateway is:
 * money that has moved has to be posted.
 */
async function createFault(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.payment_fault(p_entity text, p_currency text, p_codes text[])
    returns text language sql stable security definer set search_path = accounting, pg_temp as $$
      select case
        when not exists (select from legal_entity where id = p_entity) then 'not-found'
        when exists (select from legal_entity where id = p_entity
          and functional_currency <> p_currency) then 'currency-mismatch'
        when (select count(*) from account where entity_id = p_entity and code = any (p_codes))
          <> cardinality(p_codes) then 'not-found'
      end $$`.execute(db);
}

/**
 * Json: {id, key, entityId, rentalId, effectiveAt, currency, source} with `postings`, or with
 * `reverses`, the payment that is undone. One entry a key, whoever repeats it. Answers {entryId, postingDate, created}. Raises FC001 to FC005.
 */
async function createPostPayment(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.post_payment(p jsonb) returns jsonb
    language plpgsql security definer set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
    declare
      v_entry uuid;
    begin
      if coalesce(p->>'key', '') = '' or coalesce(p->>'source', '') not like 'payment.%' then
        raise exception 'A payment has a key and a source of its own.'
          using errcode = 'check_violation';
      end if;
      perform from legal_entity where id = p->>'entityId'
        and functional_currency <> p->>'currency';
      if found then
        raise exception 'A payment is in the legal entity''s own currency.'
          using errcode = 'FC005';
      end if;
      if p ? 'reverses' then
        if p ? 'postings' or not exists (select from entry where id = (p->>'reverses')::uuid
            and rental_id = (p->>'rentalId')::uuid and source like 'payment.%') then
          raise exception 'A payment reverses another one of its rental, as a whole.'
            using errcode = 'check_violation';
        end if;
        p := p || (select jsonb_build_object('postings', jsonb_agg(jsonb_build_object(
            'account', a.code, 'currency', l.currency,
            'amountMinor', -l.amount, 'baseMinor', -l.base_amount) order by l.line_no))
          from line l join account a on a.id = l.account_id
          where l.entry_id = (p->>'reverses')::uuid);
      end if;
      v_entry := post_entry((p - 'key' - 'currency') || jsonb_build_object(
        'idempotencyKey', 'payment/' || (p->>'key')));
      return (select jsonb_build_object('entryId', id, 'postingDate', posting_date,
        'created', id = (p->>'id')::uuid) from entry where id = v_entry);
    end $$`.execute(db);
}
