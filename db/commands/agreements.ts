// The documents of rental agreements: what was written of a version, once a language.
import { sql } from 'kysely';
import { type Db, type Tx, transact } from '../client.ts';
import type { AgreementFile } from '../queries/agreements.ts';
import { fileNamed, noteFileRemovals } from './file-removals.ts';

const WRITER = 'system:documents';

type Written = AgreementFile & {
  readonly sizeBytes: number;
  /** All that stand in it. */
  readonly names: readonly string[];
};

/**
 * The bytes lie in the object store already. Of two who write at once, the first one's counts.
 * Undefined, and nothing is kept, when a name was erased or changed since it was read.
 */
export function keepAgreementFile(db: Db, file: Written): Promise<AgreementFile | undefined> {
  return transact(db, 'rentals_rw', WRITER, async (tx) => {
    const { rental_id: rentalId, version, language, sha256, sizeBytes } = file;
    const names = await lockedNames(tx, file);
    if (names.size !== new Set(file.names).size || !file.names.every((one) => names.has(one))) {
      await noteFileRemovals(tx, [sha256]);
      return undefined;
    }
    await sql`insert into rentals.agreement_file
        (rental_id, version, language, sha256, size_bytes)
      values (${rentalId}, ${version}, ${language}, ${sha256}, ${sizeBytes})
      on conflict do nothing`.execute(tx);
    const { rows } = await sql<AgreementFile>`select rental_id, version, language, sha256
      from rentals.agreement_file
      where rental_id = ${rentalId} and version = ${version} and language = ${language}`.execute(
      tx,
    );
    if (rows[0]?.sha256 === sha256) await fileNamed(tx, sha256);
    return rows[0];
  });
}

/** Whoever erases one of the persons waits, or has been waited for. */
async function lockedNames(
  tx: Tx,
  { rental_id: rentalId, version }: AgreementFile,
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ name: string }>`select c.name from rentals.customer c
    where c.id in (select p.id from rentals.agreement a cross join lateral (
        select (a.facts->>'customerId')::uuid union select (a.facts->>'payerId')::uuid
        union select jsonb_array_elements_text(a.facts->'driverIds')::uuid) p (id)
      where a.rental_id = ${rentalId} and a.version = ${version})
    order by c.id for share of c`.execute(tx);
  return new Set(rows.map(({ name }) => name));
}
