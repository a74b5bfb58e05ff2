// Moves every sealed value to the current key, while everybody works: then an old key can go.
import { sql } from 'kysely';
import { type Db, type Role, type Tx, transact } from '../client.ts';
import type { Envelope } from '../envelope.ts';
import { birthDigests, licenceDigests } from './licences.ts';

type Place = {
  readonly role: Role;
  readonly table: string;
  /** What names the row in the sealed value's place, and in the table. */
  readonly id: string;
  readonly keyId: string;
  readonly columns: readonly string[];
  /** Columns with a digest of what is sealed in one of `columns`: they go with the key too. */
  readonly digests?: Readonly<Record<string, { readonly of: string; readonly make: Digest }>>;
};
type Digest = (envelope: Envelope, plain: string) => Buffer | undefined;

/** Every table with sealed columns; whoever adds one adds it here (test/db/reseal.test.ts asks). */
export const SEALED_PLACES: readonly Place[] = [
  {
    role: 'rentals_rw',
    table: 'rentals.customer',
    id: 'id',
    keyId: 'sealed_key_id',
    columns: ['licence_number', 'birth_date'],
    digests: {
      licence_hash: { of: 'licence_number', make: (e, plain) => licenceDigests(e, plain)[0] },
      birth_hash: { of: 'birth_date', make: (e, plain) => birthDigests(e, plain)[0] },
    },
  },
  {
    role: 'rentals_rw',
    table: 'rentals.violation_letter',
    id: 'violation_id',
    keyId: 'sealed_key_id',
    columns: ['letter'],
  },
  { role: 'people_rw', table: 'people.totp', id: 'subject', keyId: 'key_id', columns: ['secret'] },
  {
    role: 'people_rw',
    table: 'people.signing_key',
    id: 'kid',
    keyId: 'key_id',
    columns: ['private_jwk'],
  },
  {
    role: 'people_rw',
    table: 'people.session_key',
    id: 'id',
    keyId: 'key_id',
    columns: ['secret'],
  },
];

const BATCH = 200;

/**
 * Answers how many rows moved. Rows that others hold are left for the next round, and rows that
 * change meanwhile are not overwritten: it can run in several processes, under load.
 */
export async function resealAll(db: Db, envelope: Envelope): Promise<number> {
  let moved = 0;
  for (const place of SEALED_PLACES) {
    for (;;) {
      const count = await transact(db, place.role, 'system:reseal', (tx) =>
        resealSome(tx, envelope, place),
      );
      moved += count;
      if (count < BATCH) break;
    }
  }
  return moved;
}

async function resealSome(tx: Tx, envelope: Envelope, place: Place): Promise<number> {
  const [table, id, keyId] = [sql.table(place.table), sql.id(place.id), sql.id(place.keyId)];
  const columns = place.columns.map((column) => sql.id(column));
  const { rows } = await sql<{ readonly id: string; readonly key_id: string } & SealedColumns>`
    select ${id}::text as id, ${keyId} as key_id, ${sql.join(columns)} from ${table}
    where ${keyId} <> ${envelope.currentKeyId}
    order by ${id} limit ${BATCH} for update skip locked`.execute(tx);
  for (const row of rows) {
    const opened = new Map<string, string>();
    const changes = place.columns.map((column) => {
      const at = { table: place.table, column, id: row.id };
      const bytes = Buffer.from(row[column] ?? '');
      const plain = envelope.open({ keyId: row.key_id, bytes }, at);
      opened.set(column, plain.toString());
      return sql`${sql.id(column)} = ${envelope.seal(plain, at).bytes}`;
    });
    for (const [column, { of, make }] of Object.entries(place.digests ?? {})) {
      changes.push(sql`${sql.id(column)} = ${make(envelope, opened.get(of) ?? '')}`);
    }
    await sql`update ${table} set ${keyId} = ${envelope.currentKeyId}, ${sql.join(changes)}
      where ${id}::text = ${row.id}`.execute(tx);
  }
  return rows.length;
}

type SealedColumns = Readonly<Record<string, Buffer | string>>;
