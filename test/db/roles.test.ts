// Who may write what: every domain's role against every schema, and the login that has no right itself.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Role, transact } from '../../db/client.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { AGENT } from '../support/fleet.ts';

const SCHEMAS = ['vehicles', 'rentals', 'maintenance', 'people', 'accounting', 'events'] as const;
const ROLES: readonly Role[] = [
  'vehicles_rw',
  'rentals_rw',
  'maintenance_rw',
  'people_rw',
  'accounting_rw',
  'events_rw',
  'api_rw',
  'api_read',
];
const WRITES = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] as const;
const DENIED = '42501';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});

/** Runs a statement as a role and undoes it; answers the SQLSTATE of its refusal, if any. */
async function refusal(role: Role, statement: string): Promise<string | undefined> {
  const undo = new Error('undo');
  try {
    await transact(t.db, role, AGENT, async (tx) => {
      await sql.raw(statement).execute(tx);
      throw undo;
    });
  } catch (error) {
    return error === undo ? undefined : (error as { code?: string }).code;
  }
  return undefined;
}

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
          expect([role, statement, await refusal(role, statement)]).toEqual([
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
          const proof = role === 'people_rw' && PROOFS.includes(table);
          expect([role, table, await holds(role, table, 'DELETE')]).toEqual([role, table, proof]);
        }
      }
    }
  });
});

/** What proves who somebody is: no facts, so they go when they are over; and nobody's to read. */
const PROOFS: readonly string[] = [
  'people.mail',
  'people.oidc_artifact',
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

describe('published functions', () => {
  const functions = sql<{ name: string; owner: string; definer: boolean; path: string | null }>`
    select p.oid::regprocedure::text as name, r.rolname as owner, p.prosecdef as definer,
      (select c from unnest(p.proconfig) c where c like 'search_path=%') as path
    from pg_proc p join pg_roles r on r.oid = p.proowner
    where p.pronamespace::regnamespace::text = any (${[...SCHEMAS]})
      and p.prorettype <> 'trigger'::regtype -- nobody can call those
    order by 1`;

  test('may be called by the roles that are named, and nobody else', async () => {
    const callers: Record<string, readonly string[]> = {};
    for (const { name, owner } of (await functions.execute(t.owner)).rows) {
      const { rows } = await sql<{ role: string }>`select role from unnest(${[...ROLES]}::text[])
        role where role <> ${owner} and has_function_privilege(role, ${name}, 'EXECUTE')
        order by 1`.execute(t.owner);
      if (rows.length > 0) callers[name] = rows.map((row) => row.role);
    }
    const audit = ['accounting_rw', 'maintenance_rw', 'rentals_rw', 'vehicles_rw'];
    const take = 'timestamp with time zone,timestamp with time zone';
    const reading = 'uuid,timestamp with time zone,integer,integer';
    expect(callers).toEqual({
      'people.record_audit(text,text,text,text,text,jsonb,jsonb)': audit,
      'people.seal_audit(integer)': ['people_rw'],
      'people.verify_audit(bigint,bytea)': ['api_read'],
      'people.audit_hash(bytea,bigint,people.audit_entry)': ['api_read'],
      'people.is_approved(uuid,text,text)': ['accounting_rw', 'rentals_rw', 'vehicles_rw'],
      'people.forget_person(text,text)': ['rentals_rw'],
      'events.maintain_log(integer)': ['events_rw'],
      'accounting.issue_invoice(jsonb)': ['rentals_rw'],
      'vehicles.free_vehicles(text,text,tstzrange)': ['api_read'],
      'vehicles.count_free(text,text,timestamp with time zone,timestamp with time zone)': [
        'api_read',
      ],
      [`vehicles.take_span(uuid,text,text,text,${take})`]: ['rentals_rw'],
      'vehicles.extend_span(uuid,timestamp with time zone)': ['rentals_rw'],
      'vehicles.roll_span(uuid,timestamp with time zone)': ['rentals_rw'],
      [`vehicles.hand_out_span(${reading},uuid)`]: ['rentals_rw'],
      [`vehicles.return_span(${reading})`]: ['rentals_rw'],
      'vehicles.release_span(uuid)': ['rentals_rw'],
    });
  });

  test('fix their search path when they run with their owner’s rights', async () => {
    const { rows } = await functions.execute(t.owner);
    const definers = rows.filter((row) => row.definer);
    expect(definers.length).toBeGreaterThan(0);
    for (const { name, path } of definers) {
      expect([name, path]).toEqual([name, expect.stringMatching(/^search_path=\w+, pg_temp$/)]);
    }
  });

  test('are refused by the server to others', async () => {
    const call = `select vehicles.release_span('00000000-0000-7000-8000-000000000000')`;
    for (const role of ['maintenance_rw', 'people_rw', 'accounting_rw', 'api_read'] as const) {
      expect([role, await refusal(role, call)]).toEqual([role, DENIED]);
    }
  });
});
