// Walks: what a renter's ride with a competitor costs, posted by the shortage that it ended.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const POST_WALK = 'accounting.post_walk(jsonb)';

export async function up(db: Kysely<unknown>): Promise<void> {
  await addAccounts(db);
  await createPostWalk(db);
  await ownedBy(db, 'accounting_rw', [POST_WALK]);
  await sql`grant usage on schema accounting to vehicles_rw`.execute(db);
  await publishedTo(db, 'vehicles_rw', [POST_WALK]);
}

/** Entities that were opened before have them too; a code that is taken stays what it is. */
async function addAccounts(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into accounting.account (entity_id, code, name, type, live_balance)
    select e.id, a.code, a.name, a.type, true from accounting.legal_entity e,
      (values ('2110', 'Accrued suppliers', 'liability'),
        ('5300', 'Renters walked to competitors', 'expense')) a (code, name, type)
    on conflict do nothing`.execute(db);
}

/**
 * Json: {id, caseId, entityId, rentalId, effectiveAt, currency, postings}. One entry a case, whatever
 * is asked for: its key is the case. Answers {entryId, postingDate, created}. Raises FC001 to FC005.
 */
async function createPostWalk(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.post_walk(p jsonb) returns jsonb
    language plpgsql security definer set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
    declare
      v_entry uuid;
    begin
      perform from legal_entity where id = p->>'entityId'
        and functional_currency <> p->>'currency';
      if found then
        raise exception 'A walk is paid in the legal entity''s own currency.'
          using errcode = 'FC005';
      end if;
      v_entry := post_entry((p - 'caseId' - 'currency') || jsonb_build_object(
        'idempotencyKey', 'shortage/' || (p->>'caseId') || '/walk', 'source', 'shortage.walk'));
      return (select jsonb_build_object('entryId', id, 'postingDate', posting_date,
        'created', id = (p->>'id')::uuid) from entry where id = v_entry);
    end $$`.execute(db);
}
