// Who may write what: every domain's role against every schema, and the login that has no right itself.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Role, transact } from '../../db/client.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT } from '../support/fleet.ts';
import { DENIED, ROLES, refusal, SCHEMAS } from '../support/roles.ts';

const WRITES = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] as const;

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

async function tablesOf(schema: string): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`select quote_ident(relname) as name
    from pg_class where relnamespace = ${schema}::regnamespace and relkind in ('r', 'p')
    order by 1`.execute(t.owner);
  return rows.map((row) => `${schema}.${row.name}`);
}

describe('a role against the tables of another schema', () => {
  test.each(ROLES)('%s writes nowhere but at home', async (role) => {
    const open: string[] = [];
    for (const schema of SCHEMAS) {
      if (role === `${schema}_rw`) continue;
      for (const table of await tablesOf(schema)) {
        for (const write of WRITES) {
          const right = `${table} ${write}`;
          if (await holds(role, table, write)) open.push(right);
        }
      }
    }
    expect(open).toEqual(OPEN[role] ?? []);
  });

  test('the server refuses what the catalogue says', async () => {
    for (const role of ROLES) {
      for (const table of ['rentals.rental', 'vehicles.span', 'accounting.entry']) {
        if (table.startsWith(role.replace('_rw', '.'))) continue;
        for (const write of ['insert into $ default values', 'delete from $', 'truncate $']) {
          const statement = write.replace('$', table);
          expect([role, statement, await refusal(t.db, role, statement)]).toEqual([
            role,
            statement,
            DENIED,
          ]);
        }
      }
    }
  });

  test('nobody may empty a table, not even at home', async () => {
    const rights: string[] = [];
    for (const role of ROLES) {
      for (const schema of SCHEMAS) {
        for (const table of await tablesOf(schema)) {
          if (await holds(role, table, 'TRUNCATE')) rights.push(`${role} ${table}`);
        }
      }
    }
    expect(rights).toEqual([]);
  });

  test('facts cannot be deleted by the domain that writes them', async () => {
    for (const role of ROLES.filter((each) => each !== 'events_rw' && each !== 'api_rw')) {
      for (const schema of SCHEMAS) {
        for (const table of await tablesOf(schema)) {
          const mayGo =
            (role === 'people_rw' && PROOFS.includes(table)) ||
            (role === 'rentals_rw' && COPIES.includes(table));
          expect([role, table, await holds(role, table, 'DELETE')]).toEqual([role, table, mayGo]);
        }
      }
    }
  });
});

/**
 * Where the bytes of a document lie that names persons, which of them are still to be removed, the
 * flight that a person comes by, and the consent that came with a check-out that is undone: a trigger
 * lets no other go, and the audit log keeps what it was.
 */
const COPIES: readonly string[] = [
  'rentals.agreement_file',
  'rentals.delayed_charge_consent',
  'rentals.file_removal',
  'rentals.invoice_file',
  'rentals.flight',
];

/** What proves who somebody is: no facts, so they go when they are over; and nobody's to read. */
const PROOFS: readonly string[] = [
  'people.mail',
  'people.oidc_artifact',
  'people.outside_logout',
  'people.password',
  'people.recovery_code',
  'people.remembered_device',
  'people.session',
  'people.session_key',
  'people.sign_in_failure',
  'people.signing_key',
  'people.single_use_token',
  'people.totp',
];

/** Rights away from home that are meant: facts go out through the outbox, the API keeps its keys. */
const OUTBOX = ['events.outbox INSERT'];
const OPEN: Partial<Record<Role, readonly string[]>> = {
  vehicles_rw: OUTBOX,
  rentals_rw: OUTBOX,
  maintenance_rw: OUTBOX,
  people_rw: OUTBOX,
  accounting_rw: OUTBOX,
  api_rw: ['events.idempotency INSERT', 'events.idempotency UPDATE', 'events.idempotency DELETE'],
};

/** True also when the right is on some columns only. */
async function holds(role: Role, table: string, right: string): Promise<boolean> {
  const column = right === 'INSERT' || right === 'UPDATE';
  const { rows } = await sql<{ holds: boolean }>`select has_table_privilege(${role}, ${table},
    ${right}) or (${column} and has_any_column_privilege(${role}, ${table},
    case when ${column} then ${right} else 'SELECT' end)) as holds`.execute(t.owner);
  return rows[0]?.holds ?? false;
}

describe('the login of the processes', () => {
  test('reads and writes nothing outside a role', async () => {
    for (const schema of SCHEMAS) {
      for (const table of await tablesOf(schema)) {
        await expect(sql.raw(`select from ${table}`).execute(t.db)).rejects.toMatchObject({
          code: DENIED,
        });
        await expect(
          sql.raw(`insert into ${table} default values`).execute(t.db),
        ).rejects.toMatchObject({ code: DENIED });
      }
    }
  });

  test('cannot become the owner, and owns nothing', async () => {
    await expect(sql`set role forecourt_owner`.execute(t.db)).rejects.toMatchObject({
      code: DENIED,
    });
    const { rows } = await sql`select c.relname from pg_class c join pg_roles r on r.oid = relowner
      where r.rolname = ${new URL(t.url).username} or r.rolname like '%\\_rw'`.execute(t.owner);
    expect(rows).toEqual([]);
  });

  test('keeps no role after its transaction', async () => {
    await transact(t.db, 'rentals_rw', AGENT, (tx) => sql`select 1`.execute(tx));
    for (let n = 0; n < 8; n += 1) {
      const { rows } = await sql<{ role: string; principal: string | null }>`select
        current_setting('role') as role, current_setting('app.principal', true) as principal`.execute(
        t.db,
      );
      expect(rows[0]?.role).toBe('none');
      expect(rows[0]?.principal ?? '').toBe('');
    }
  });
});

describe('who acts', () => {
  // They stand in the text of the message that begins the transaction.
  test.each(["staff:o'hara", "x'; set local role forecourt_owner; --", "a\\'b", '\u00e4\u20ac$1'])(
    'is taken as it is: %s',
    async (principal) => {
      const acting = { principal, scope: "branches:'" };
      const seen = await transact(t.db, 'rentals_rw', acting, async (tx) => {
        const { rows } = await sql<{ role: string; principal: string; scope: string }>`select
          current_setting('role') as role, current_setting('app.principal') as principal,
          current_setting('app.scope') as scope`.execute(tx);
        return rows[0];
      });
      expect(seen).toEqual({ role: 'rentals_rw', ...acting });
    },
  );
});

describe('the reader', () => {
  test('reads every table but proofs of identity and the answers kept for retries', async () => {
    const unread: string[] = [];
    for (const schema of SCHEMAS) {
      for (const table of await tablesOf(schema)) {
        if (!(await holds('api_read', table, 'SELECT'))) unread.push(table);
      }
    }
    expect(unread).toEqual([...PROOFS, 'events.idempotency']);
  });
});
