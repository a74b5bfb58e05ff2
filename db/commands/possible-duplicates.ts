// Guests of partners who may be customers already: written down when they come, settled by a person.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { type Acting, type Db, rowAccess, type Tx, transact } from '../client.ts';
import { recordAudit } from './audit.ts';

/** As many as a counter is shown. */
const MOST = 20;

/**
 * By mail, phone and name, as at a counter (see `duplicatesOf`): a partner tells no licence. The
 * partner hears nothing of it.
 */
export async function recordDoubles(tx: Tx, customerId: string): Promise<void> {
  await sql`
    with own as materialized (select * from rentals.customer where id = ${customerId}),
    found as (
      select d.id, 'email' as by, 3 as weight from own c
      join rentals.customer d on d.email_key = c.email_key
      union all select d.id, 'phone', 2 from own c join rentals.customer d on d.phone = c.phone
      union all select d.id, 'name', 1 from own c
      join rentals.customer d on d.name_match = c.name_match
    )
    insert into rentals.possible_duplicate (customer_id, other_id, by)
    select ${customerId}, d.id, array_agg(f.by order by f.weight desc)
    from found f join rentals.customer d on d.id = f.id
    where d.id <> ${customerId} and d.merged_into is null and d.contacts_erased_at is null
      and (d.kind, d.is_sandbox) = (select kind, is_sandbox from own)
    group by d.id order by sum(f.weight) desc, d.id limit ${MOST}`.execute(tx);
}

/** They are two people. A repeat changes nothing. Throws `not-found` for what nobody doubted. */
export function dismissDouble(
  db: Db,
  acting: Acting,
  { customerId, otherId }: { readonly customerId: string; readonly otherId: string },
): Promise<void> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const { rows } = await sql<{ isNew: boolean }>`
      with own as (select dismissed_at is null as "isNew" from rentals.possible_duplicate
        where customer_id = ${customerId} and other_id = ${otherId} for update),
      dismissed as (update rentals.possible_duplicate
        set dismissed_at = now(), dismissed_by = ${rowAccess(acting).principal}
        where customer_id = ${customerId} and other_id = ${otherId} and dismissed_at is null)
      select "isNew" from own`.execute(tx);
    const [known] = rows;
    if (known === undefined) {
      throw new DomainError('not-found', 'These two are not on the list of possible duplicates.');
    }
    if (!known.isNew) return;
    const subject = { subjectType: 'customer', subjectId: customerId } as const;
    await recordAudit(tx, { action: 'customer.tell-apart', ...subject, after: { otherId } });
  });
}
