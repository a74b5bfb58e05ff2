// From where people sign in, as the audit log tells it.
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { oauthClient } from '../support/oauth-client.ts';
import { signInServer } from '../support/sign-in-server.ts';
import { hire } from '../support/staff.ts';

test('a session says in the audit log from which address and by which request it was opened', async () => {
  const server = await signInServer();
  const web = await oauthClient(server);
  const person = await hire(server.database.db);
  await web.signIn(person.user_name);
  const { rows } = await sql<{ origin: string }>`select origin from people.audit_entry
    where action = 'session.open' and actor = ${person.principal}`.execute(server.database.owner);
  expect(rows).toHaveLength(1);
  const [, requestId = 'none'] =
    /^127\.0\.0\.1 request ([0-9a-f-]{36})$/.exec(rows[0]?.origin ?? '') ?? [];
  expect(server.logLines.filter((line) => line.includes(requestId))).toHaveLength(1);
});
