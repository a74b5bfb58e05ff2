// Reads about customers: who may be the same, who is blocked, who speaks for whom, what falls due.
import { sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';
import type { BlockRow } from '../commands/blocklist.ts';
import { type Page, type PageRequest, pageById } from './page.ts';

export type Sameness = 'email' | 'phone' | 'licence' | 'name-and-birth-date' | 'name';
export type PossibleDuplicate = {
  readonly id: string;
  readonly name: string;
  readonly by: readonly Sameness[];
};

const MOST = 20;

/**
 * Records that may be the same customer's, the likeliest first. Of the name alone only while neither
 * birth date is known. `keys` are the birth date's digests under every key: an older record may be
 * sealed with another than this one; likewise for the licence.
 */
export function duplicatesOf(
  db: Db,
  acting: Acting,
  id: string,
  digests: { readonly licence: readonly Buffer[]; readonly birth: readonly Buffer[] },
): Promise<readonly PossibleDuplicate[]> {
  const { licence, birth } = digests;
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<PossibleDuplicate>`
      with own as materialized (select * from rentals.customer where id = ${id}),
      found as (
        select d.id, 'licence' as by, 5 as weight from rentals.customer d
        where d.licence_hash = any (${[...licence]}::bytea[])
        union all select d.id, 'name-and-birth-date', 4 from own c
        join rentals.customer d on d.name_match = c.name_match
        where d.birth_hash = any (${[...birth]}::bytea[])
        union all select d.id, 'email', 3 from own c
        join rentals.customer d on d.email_key = c.email_key
        union all select d.id, 'phone', 2 from own c join rentals.customer d on d.phone = c.phone
        union all select d.id, 'name', 1 from own c
        join rentals.customer d on d.name_match = c.name_match
        where d.birth_hash is null or c.birth_hash is null
      )
      select d.id, d.name, array_agg(f.by order by f.weight desc) as by
      from found f join rentals.customer d on d.id = f.id
      where d.id <> ${id} and d.merged_into is null and d.contacts_erased_at is null
        and (d.kind, d.is_sandbox) = (select kind, is_sandbox from own)
      group by d.id, d.name order by sum(f.weight) desc, d.id limit ${MOST}`.execute(tx);
    return rows;
  });
}

/** Newest last. */
export function blocksOf(db: Db, acting: Acting, id: string): Promise<readonly BlockRow[]> {
  return transact(db, 'api_read', acting, (tx) =>
    tx
      .selectFrom('rentals.customer_block')
      .selectAll()
      .where(
        'customer_id',
        '=',
        sql<string>`(select coalesce(merged_into, id)
        from rentals.customer where id = ${id})`,
      )
      .orderBy('id')
      .execute(),
  );
}

/** Blocks that are in force now. */
export function listBlocks(db: Db, acting: Acting, page: PageRequest): Promise<Page<BlockRow>> {
  return transact(db, 'api_read', acting, (tx) =>
    pageById(
      tx
        .selectFrom('rentals.customer_block')
        .selectAll()
        .where('lifted_at', 'is', null)
        .where(sql<boolean>`(until is null or until > now())`),
      page,
    ),
  );
}

export type ContactRow = {
  readonly person_id: string;
  readonly name: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly function: string;
};

export function contactsOf(
  db: Db,
  acting: Acting,
  companyId: string,
): Promise<readonly ContactRow[]> {
  return transact(db, 'api_read', acting, (tx) =>
    tx
      .selectFrom('rentals.company_contact as k')
      .innerJoin('rentals.customer as c', 'c.id', 'k.person_id')
      .select(['k.person_id', 'c.name', 'c.email', 'c.phone', 'k.function'])
      .where('k.company_id', '=', companyId)
      .where('k.ended_at', 'is', null)
      .orderBy('k.person_id')
      .execute(),
  );
}

export type DueLicence = {
  readonly id: string;
  readonly licence_recheck_on: string;
  readonly licence_valid_until: string | null;
};

/** Licences to be looked at again on or before a date, the longest due first, 200 at most. */
export function licencesDue(db: Db, acting: Acting, until: string): Promise<readonly DueLicence[]> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<DueLicence>`select id, licence_recheck_on, licence_valid_until
      from rentals.customer where licence_recheck_on <= ${until}::date and merged_into is null
      order by licence_recheck_on, id limit 200`.execute(tx);
    return rows;
  });
}

export type OpenDouble = {
  readonly customerId: string;
  readonly name: string;
  readonly otherId: string;
  readonly otherName: string;
  readonly by: readonly Sameness[];
  readonly foundAt: string;
};

/** Of what partners entered: neither merged nor told apart yet, the longest waiting first; 200 at most. */
export function openDoubles(db: Db, acting: Acting): Promise<readonly OpenDouble[]> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<OpenDouble>`select p.customer_id as "customerId", c.name,
        p.other_id as "otherId", o.name as "otherName", p.by, p.found_at as "foundAt"
      from rentals.possible_duplicate p
      join rentals.customer c on c.id = p.customer_id
      join rentals.customer o on o.id = p.other_id
      where p.dismissed_at is null and num_nonnulls(c.merged_into, c.contacts_erased_at,
        o.merged_into, o.contacts_erased_at) = 0
      order by p.found_at, p.customer_id, p.other_id limit 200`.execute(tx);
    return rows;
  });
}
