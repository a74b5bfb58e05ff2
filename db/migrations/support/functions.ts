// Who owns and who may call the functions that migrations create.
import { type Kysely, sql } from 'kysely';

/** `signatures` as `schema.name(type, …)`; nobody but the owner may call them until published. */
export async function ownedBy(
  db: Kysely<unknown>,
  owner: string,
  signatures: readonly string[],
): Promise<void> {
  for (const signature of signatures) {
    await sql`alter function ${sql.raw(signature)} owner to ${sql.id(owner)}`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
  }
}

export async function publishedTo(
  db: Kysely<unknown>,
  role: string,
  signatures: readonly string[],
): Promise<void> {
  for (const signature of signatures) {
    await sql`grant execute on function ${sql.raw(signature)} to ${sql.id(role)}`.execute(db);
  }
}
