// A token for the benches: of a real staff member, signed by the key that the API itself trusts.

import { importJWK, SignJWT } from 'jose';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { openSigningKeys } from '../../api/auth/server/keys.ts';
import { openDb } from '../../db/client.ts';
import { openEnvelope } from '../../db/envelope.ts';
import { ROLES, SCOPES } from '../../domain/people.ts';

/** Good for some hours at the API on `port`, and for everything. */
export async function benchToken(
  urls: { readonly ownerUrl: string; readonly databaseUrl: string },
  port: number,
): Promise<string> {
  const [owner, db] = [openDb(urls.ownerUrl, { max: 1 }), openDb(urls.databaseUrl, { max: 1 })];
  try {
    const envelope = openEnvelope(process.env['DATA_KEYS'] ?? '');
    const [key] = (await openSigningKeys(db, envelope)).current().privateKeys;
    if (key?.kid === undefined) throw new Error('There is no key to sign with.');
    const [id, sid] = [uuidv7(), uuidv7()];
    await sql`insert into people.staff (id, user_name, name, email, roles)
      values (${id}, ${`bench-${id}`}, 'Bench', ${`${id}@example.com`}, ${ROLES})`.execute(owner);
    await sql`insert into people.session (id, subject, device, expires_at)
      values (${sid}, ${`staff:${id}`}, 'bench', now() + interval '1 day')`.execute(owner);
    return new SignJWT({ kind: 'staff', uv: 1, sid, scope: SCOPES.join(' '), client_id: 'bench' })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
      .setIssuer(`http://localhost:${port}`)
      .setAudience('urn:forecourt:api')
      .setSubject(id)
      .setJti(uuidv7())
      .setIssuedAt()
      .setExpirationTime('6h')
      .sign(await importJWK(key, 'ES256'));
  } finally {
    await Promise.all([owner.destroy(), db.destroy()]);
  }
}
