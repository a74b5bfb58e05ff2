// Who speaks for a company: persons with records of their own, tied to it by what they do there.
import { sql } from 'kysely';
import type { ContactFunction } from '../../domain/customer.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { type CustomerRow, recordUpdate } from './customers.ts';
import { named, updateVersion } from './master-data.ts';

/**
 * `does` null ends it. `version` is the company's, and moves on. Throws `not-found` for the company,
 * or for a contact that is no person, or a company that is none.
 */
export function setContact(
  db: Db,
  acting: Acting,
  companyId: string,
  version: number,
  personId: string,
  does: ContactFunction | null,
): Promise<CustomerRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const row = await updateVersion<CustomerRow>(tx, 'rentals.customer', companyId, version, {});
    if (does === null) {
      await sql`update rentals.company_contact set ended_at = coalesce(ended_at, now())
        where company_id = ${companyId} and person_id = ${personId}`.execute(tx);
    } else {
      await named(() =>
        sql`insert into rentals.company_contact (company_id, person_id, function)
          values (${companyId}, ${personId}, ${does})
          on conflict (company_id, person_id) do update
            set function = excluded.function, ended_at = null`.execute(tx),
      );
    }
    await recordUpdate(tx, row, 'customer.set-contact', { personId, function: does });
    return row;
  });
}
