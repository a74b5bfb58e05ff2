// The documents of rental agreements: what was written of a version, once a language.
import { sql } from 'kysely';
import { type Db, transact } from '../client.ts';
import type { AgreementFile } from '../queries/agreements.ts';

const WRITER = 'system:documents';

/** The bytes lie in the object store already. Of two who write at once, the first one's counts. */
export function keepAgreementFile(
  db: Db,
  file: AgreementFile & { readonly sizeBytes: number },
): Promise<AgreementFile> {
  return transact(db, 'rentals_rw', WRITER, async (tx) => {
    const { rental_id: rentalId, version, language, sha256, sizeBytes } = file;
    await sql`insert into rentals.agreement_file
        (rental_id, version, language, sha256, size_bytes)
      values (${rentalId}, ${version}, ${language}, ${sha256}, ${sizeBytes})
      on conflict do nothing`.execute(tx);
    const { rows } = await sql<AgreementFile>`select rental_id, version, language, sha256
      from rentals.agreement_file
      where rental_id = ${rentalId} and version = ${version} and language = ${language}`.execute(
      tx,
    );
    return rows[0] as AgreementFile;
  });
}
