// Staff over HTTP: hired, changed and signed out by an administrator; what everybody knows of oneself.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectProblem, type TestApi, testApi } from '../../support/api.ts';
import { type Person, plantSession, plantStaff, tokenOf } from '../../support/people.ts';

let api: TestApi;
let admin: Person;
beforeAll(async () => {
  api = await testApi();
  admin = await plantStaff(api.database.owner, { roles: ['administrator'] });
});

function newPerson(over: object = {}) {
  const userName = `n-${randomUUID().slice(0, 13)}`;
  return {
    userName,
    name: 'Nora New',
    email: `${userName}@example.com`,
    roles: ['counter-agent'],
    branches: ['VIE'],
    ...over,
  };
}

async function as(person: Person, method: string, path: string, body?: object, etag?: string) {
  const headers = etag === undefined ? {} : { 'if-match': etag };
  return api.call(method, `/api/v1${path}`, { body, headers, token: await tokenOf(person) });
}

async function hired(over: object = {}) {
  const answer = await as(admin, 'POST', '/staff', newPerson(over));
  expect([answer.status, answer.body]).toEqual([201, answer.body]);
  return answer.body;
}

describe('a person', () => {
  test('is hired, found, listed and changed', async () => {
    const given = newPerson();
    const made = await as(admin, 'POST', '/staff', given);
    expect(made.status).toBe(201);
    const { id } = made.body;
    expect(made.headers.get('location')).toBe(`/api/v1/staff/${id}`);
    expect(made.body).toMatchObject({ ...given, status: 'active', version: 1 });
    const read = await as(admin, 'GET', `/staff/${id}`);
    expect([read.body, read.headers.get('etag')]).toEqual([made.body, '"1"']);
    const change = { roles: ['senior-agent', 'technician'], branches: null };
    const changed = await as(admin, 'PATCH', `/staff/${id}`, change, '"1"');
    expect(changed.body).toEqual({ ...made.body, ...change, version: 2 });
    const found = await as(admin, 'GET', '/staff?role=technician&q=nORA');
    expect(found.body.items).toEqual([changed.body]);
  });

  test('has a name and an address that nobody else has, in any case', async () => {
    const { userName, email } = await hired();
    expectProblem(await as(admin, 'POST', '/staff', newPerson({ userName })), 409, 'duplicate');
    const shouted = newPerson({ email: email.toUpperCase() });
    expectProblem(await as(admin, 'POST', '/staff', shouted), 409, 'duplicate');
  });

  test.each([
    [{ roles: [] }, 'validation-failed'],
    [{ roles: ['king'] }, 'validation-failed'],
    [{ roles: ['auditor', 'auditor'] }, 'validation-failed'],
    [{ branches: [] }, 'validation-failed'],
    [{ userName: 'Nora New' }, 'validation-failed'],
    [{ password: 'x' }, 'unknown-field'],
    [{ isDemo: true }, 'unknown-field'],
    [{ name: 'x'.repeat(201) }, 'too-long'],
  ])('is not hired with %j', async (over, slug) => {
    expectProblem(await as(admin, 'POST', '/staff', newPerson(over)), 422, slug);
  });

  test('who leaves is signed out everywhere, and the last day is noted', async () => {
    const { id } = await hired();
    await plantSession(api.database.owner, `staff:${id}`);
    const left = await as(admin, 'PATCH', `/staff/${id}`, { status: 'left' }, '"1"');
    expect(left.body).toMatchObject({ status: 'left', employedUntil: expect.any(String) });
    expect(await openSessions(id)).toBe(0);
  });

  test('who changes roles stays signed in: the tokens alone end', async () => {
    const { id } = await hired();
    await plantSession(api.database.owner, `staff:${id}`);
    await as(admin, 'PATCH', `/staff/${id}`, { roles: ['auditor'] }, '"1"');
    expect(await openSessions(id)).toBe(1);
  });

  test('is signed out by an administrator', async () => {
    const { id } = await hired();
    await plantSession(api.database.owner, `staff:${id}`);
    expect((await as(admin, 'DELETE', `/staff/${id}/sessions`)).status).toBe(204);
    expect(await openSessions(id)).toBe(0);
    expectProblem(await as(admin, 'DELETE', `/staff/${randomUUID()}/sessions`), 404, 'not-found');
  });

  test('who lost the second factor enrols again; another administrator sees to it', async () => {
    const person = await plantStaff(api.database.owner, { roles: ['accountant'] });
    const subject = `staff:${person.id}`;
    await sql`with factor as (insert into people.totp (subject, key_id, secret, confirmed_at)
        values (${subject}, 'k', 'x', now())),
      codes as (insert into people.recovery_code (subject, hash)
        values (${subject}, sha256('c'::bytea)))
      insert into people.remembered_device (id, subject, hash, description, expires_at)
        values (uuidv7(), ${subject}, sha256('d'::bytea), 'd', 'infinity')`.execute(
      api.database.owner,
    );
    const removed = await as(admin, 'DELETE', `/staff/${person.id}/second-factor`);
    expect(removed.status).toBe(204);
    const { rows } = await sql`select from people.totp where subject = ${subject}
      union all select from people.recovery_code where subject = ${subject}
      union all select from people.remembered_device where subject = ${subject}`.execute(
      api.database.owner,
    );
    expect([rows, await openSessions(person.id)]).toEqual([[], 0]);
    const own = await as(admin, 'DELETE', `/staff/${admin.id}/second-factor`);
    expectProblem(own, 403, 'four-eyes');
    const nobody = await as(admin, 'DELETE', `/staff/${randomUUID()}/second-factor`);
    expectProblem(nobody, 404, 'not-found');
  });

  test('leaves no details in the log, the events or the audit', async () => {
    const { id, email, name } = await hired({ name: 'Xaver Unmistakable' });
    await as(admin, 'PATCH', `/staff/${id}`, { name: 'Xaver Unmistakable II' }, '"1"');
    const { rows } = await sql<{ text: string }>`select a::text as text from people.audit_entry a
      union all select event from events.outbox`.execute(api.database.owner);
    const all = [...rows.map((row) => row.text), ...api.logLines].join('\n');
    expect(all).toContain(id);
    expect(all).not.toContain(email);
    expect(all).not.toContain(name);
  });
});

describe('rights', () => {
  test('are nobody’s to give to oneself', async () => {
    for (const change of [
      { roles: ['finance-controller'] },
      { branches: null },
      { status: 'left' },
    ]) {
      const answer = await as(admin, 'PATCH', `/staff/${admin.id}`, change, '"1"');
      expectProblem(answer, 403, 'four-eyes');
    }
  });

  test('are not asked for at /me', async () => {
    const agent = await plantStaff(api.database.owner, { roles: ['counter-agent'] });
    for (const body of [{ role: 'admin', tenantId: 'x' }, { roles: ['administrator'] }]) {
      expectProblem(await as(agent, 'PATCH', '/me', body, '"1"'), 422, 'unknown-field');
    }
    const { rows } = await sql`select roles, version from people.staff
      where id = ${agent.id}`.execute(api.database.owner);
    expect(rows).toEqual([{ roles: ['counter-agent'], version: 1 }]);
  });

  test.each(['counter-agent', 'branch-manager', 'finance-controller'] as const)(
    'over staff are not a %s’s',
    async (role) => {
      const other = await plantStaff(api.database.owner, { roles: [role] });
      expectProblem(await as(other, 'POST', '/staff', newPerson()), 403, 'forbidden');
      expectProblem(await as(other, 'GET', '/staff'), 403, 'forbidden');
      expectProblem(await as(other, 'GET', `/staff/${randomUUID()}`), 403, 'forbidden');
    },
  );
});

describe('one’s own identity', () => {
  test('has roles, branches, scopes and the highest limit of the roles', async () => {
    const roles = ['senior-agent', 'accountant'] as const;
    const person = await plantStaff(api.database.owner, { roles, branches: ['GRZ', 'VIE'] });
    const { status, body } = await as(person, 'GET', '/me');
    expect([status, body]).toEqual([
      200,
      {
        kind: 'staff',
        id: person.id,
        name: expect.any(String),
        roles: [...roles],
        branches: ['GRZ', 'VIE'],
        scopes: expect.arrayContaining(['rentals:read', 'people:read']),
        limits: {
          'discount-bp': 1_000,
          refund: 200_000,
          'fee-waiver': 10_000,
          'write-off': 10_000,
        },
        sessionId: person.sessionId,
      },
    ]);
  });

  test('has a name that one changes', async () => {
    const person = await plantStaff(api.database.owner, { roles: ['auditor'] });
    const answer = await as(person, 'PATCH', '/me', { name: 'Audrey Auditor' }, '"1"');
    expect(answer.body).toMatchObject({ name: 'Audrey Auditor', roles: ['auditor'], version: 2 });
  });

  test('has sessions, which one ends, and nobody else’s', async () => {
    const [me, other] = [
      await plantStaff(api.database.owner),
      await plantStaff(api.database.owner),
    ];
    const phone = await plantSession(api.database.owner, `staff:${me.id}`);
    const listed = await as(me, 'GET', '/me/sessions');
    expect(
      listed.body.items.map((item: { id: string; current: boolean }) => [item.id, item.current]),
    ).toEqual([
      [phone, false],
      [me.sessionId, true],
    ]);
    const foreign = await as(me, 'DELETE', `/me/sessions/${other.sessionId}`);
    const unknown = await as(me, 'DELETE', `/me/sessions/${randomUUID()}`);
    expectProblem(foreign, 404, 'not-found');
    expect(bare(foreign.body)).toEqual(bare(unknown.body));
    expect((await as(me, 'DELETE', `/me/sessions/${phone}`)).status).toBe(204);
    expect((await as(me, 'GET', '/me/sessions')).body.items.length).toBe(1);
  });
});

function bare({ instance: _, traceId: __, ...body }: Record<string, unknown>) {
  return body;
}

async function openSessions(staffId: string): Promise<number> {
  const { rows } = await sql<{ open: number }>`select count(*) as open from people.session
    where subject = ${`staff:${staffId}`} and ended_at is null`.execute(api.database.owner);
  return rows[0]?.open ?? -1;
}
