// Damages in the books: accounts for recoveries and insurers' shares, and the posting of a share.
import { type Kysely, sql } from 'kysely';
import { ownedBy, publishedTo } from './support/functions.ts';

const POST_SHARE = 'accounting.post_insurer_share(jsonb)';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Entities that were opened before have them too; a code that is taken stays what it is.
  await sql`
    insert into accounting.account (entity_id, code, name, type, live_balance)
    select e.id, a.code, a.name, a.type, false from accounting.legal_entity e,
      (values ('1230', 'Insurance claims', 'asset'),
        ('4300', 'Damage recoveries', 'income')) a (code, name, type)
    on conflict do nothing`.execute(db);
  await createPostShare(db);
  await ownedBy(db, 'accounting_rw', [POST_SHARE]);
  await publishedTo(db, 'rentals_rw', [POST_SHARE]);
}

/**
 * Json: {id, caseId, entityId, rentalId, effectiveAt, currency, postings}. One entry a case,
 * whatever is asked for: its key is the case. Answers {entryId, postingDate, created}. Raises FC001
 * to FC005.
 */
async function createPostShare(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function accounting.post_insurer_share(p jsonb) returns jsonb
    language plpgsql security definer set search_path = accounting, pg_temp
    set enable_seqscan = off as $$
    declare
      v_entry uuid;
    begin
      perform from legal_entity where id = p->>'entityId'
        and functional_currency <> p->>'currency';
      if found then
        raise exception 'An insurer''s share is in the legal entity''s own currency.'
          using errcode = 'FC005';
      end if;
      v_entry := post_entry((p - 'caseId' - 'currency') || jsonb_build_object(
        'idempotencyKey', 'damage-case/' || (p->>'caseId') || '/insurer',
        'source', 'damage.insurer'));
      return (select jsonb_build_object('entryId', id, 'postingDate', posting_date,
        'created', id = (p->>'id')::uuid) from entry where id = v_entry);
    end $$`.execute(db);
}
