// Everything that is kept about a person, for the person, and what keeps it.
import { sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';

const READER = 'system:privacy';

/** The issue date of the newest invoice made out to the customer; null when there is none. */
export function lastInvoiceDate(db: Db, customerId: string): Promise<string | null> {
  return transact(db, 'api_read', READER, async (tx) => {
    const row = await tx
      .selectFrom('accounting.invoice')
      .select((e) => e.fn.max('issue_date').as('newest'))
      .where(
        sql<boolean>`customer_id in (select id from rentals.customer
            where id = ${customerId} or merged_into = ${customerId})`,
      )
      .executeTakeFirst();
    return (row?.newest as string | null | undefined) ?? null;
  });
}

/** Sealed, or made of what is sealed. */
const SEALED = ['licence_number', 'birth_date', 'sealed_key_id', 'licence_hash', 'birth_hash'];

export type PersonalData = Readonly<Record<string, unknown>>;

/**
 * The customer's own record, rentals, invoices and what was noted about them, as JSON in the names
 * of the tables' columns (GDPR Art. 15 and 20), but for the sealed licence. Undefined for an unknown customer.
 */
export function personalData(
  db: Db,
  acting: Acting,
  customerId: string,
): Promise<PersonalData | undefined> {
  // The customer's own record, and those that were merged into it.
  const same = sql`select s.id from rentals.customer s where s.id = c.id or s.merged_into = c.id`;
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<{ data: PersonalData }>`select jsonb_build_object(
        'customer', to_jsonb(c) - ${SEALED}::text[],
        'merged', (select coalesce(jsonb_agg(to_jsonb(m) - ${SEALED}::text[] order by m.id), '[]')
          from rentals.customer m where m.merged_into = c.id),
        'blocks', (select coalesce(jsonb_agg(to_jsonb(b) order by b.id), '[]')
          from rentals.customer_block b where b.customer_id = c.id),
        'contactOf', (select coalesce(jsonb_agg(to_jsonb(k)), '[]')
          from rentals.company_contact k where k.person_id = c.id),
        'drives', (select coalesce(jsonb_agg(to_jsonb(d)), '[]')
          from rentals.rental_driver d where d.customer_id in (${same})),
        'rentals', (select coalesce(jsonb_agg(to_jsonb(r) order by r.id), '[]')
          from rentals.rental r where r.customer_id in (${same})),
        'flights', (select coalesce(jsonb_agg(to_jsonb(f)), '[]')
          from rentals.flight f join rentals.rental r on r.id = f.rental_id
          where r.customer_id in (${same})),
        'violations', (select coalesce(jsonb_agg(to_jsonb(v) order by v.id), '[]')
          from rentals.violation v where v.customer_id in (${same})),
        'invoices', (select coalesce(jsonb_agg(to_jsonb(i) - 'request_hash' - 'tx'
            || jsonb_build_object('lines', (select jsonb_agg(to_jsonb(l) order by l.line_no)
              from accounting.invoice_line l where l.invoice_id = i.id)) order by i.id), '[]')
          from accounting.invoice i where i.customer_id in (${same})),
        'audit', (select coalesce(jsonb_agg(to_jsonb(a) order by a.at), '[]')
          from people.audit_entry a
          where a.subject_type = 'customer'
            and a.subject_id in (select s::text from (${same}) as s(s)))
      ) as data
      from rentals.customer c where c.id = ${customerId}`.execute(tx);
    return rows[0]?.data;
  });
}
