// Which files of the object store are nobody's any more and have to go.
import { sql } from 'kysely';
import { type Db, transact } from '../client.ts';

const READER = 'system:erasure';

/**
 * Of what is due, by their SHA-256. Equal bytes are one file: it stays while somebody who is not erased has signed
 * with it, or another row names it.
 */
export function filesToRemove(db: Db): Promise<readonly string[]> {
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql<{ sha256: string }>`select w.sha256 from rentals.file_removal w
      where w.not_before <= now()
        and not exists (select from rentals.agreement_file a where a.sha256 = w.sha256)
        and not exists (select from rentals.invoice_file a where a.sha256 = w.sha256)
        and not exists (select from vehicles.document d where d.sha256 = w.sha256)
        and not exists (select from rentals.inspection_file f
          join rentals.inspection i on i.id = f.inspection_id
          join rentals.rental r on r.id = i.rental_id
          join rentals.customer c on c.id = r.customer_id
          where f.sha256 = w.sha256 and (f.kind = 'photo' or c.erased_at is null))
      order by w.sha256`.execute(tx);
    return rows.map(({ sha256 }) => sha256);
  });
}
