// The audit log over HTTP: who may read it, what it shows, and how it is searched.
import { beforeAll, describe, expect, test } from 'vitest';
import { trustedProxies } from '../../api/rate-limits/peer.ts';
import { transact } from '../../db/client.ts';
import { recordAudit } from '../../db/commands/audit.ts';
import { sealAudit } from '../../db/commands/audit-chain.ts';
import { ROLES } from '../../domain/people.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { plantStaff, tokenOf } from '../support/people.ts';

let api: TestApi;
let auditor: string;
beforeAll(async () => {
  api = await testApi({ deps: { proxies: trustedProxies('127.0.0.1') } });
  auditor = await tokenOf(await plantStaff(api.database.owner, { roles: ['auditor'] }));
});

const ask = (query = '') => api.call('GET', `/api/v1/audit${query}`, { token: auditor });

describe('an entry', () => {
  test('says who did what to what, and from where; a name in it says none', async () => {
    const made = await api.call('POST', '/api/v1/customers', {
      body: { name: 'Planted Person' },
      headers: { 'x-forwarded-for': '203.0.113.9' },
    });
    const { body } = await ask(`?subjectId=${made.body.id}`);
    expect(body.items).toEqual([
      {
        id: expect.any(String),
        at: expect.stringMatching(/Z$/),
        actor: expect.stringMatching(/^staff:[0-9a-f-]{36}$/),
        action: 'customer.register',
        subjectType: 'customer',
        subjectId: made.body.id,
        commandId: null,
        reason: null,
        before: null,
        after: null,
        origin: `203.0.113.9 request ${made.headers.get('x-request-id')}`,
        position: null,
      },
    ]);
    await sealAudit(api.database.db, 100);
    const sealed = await ask(`?subjectId=${made.body.id}`);
    expect(sealed.body.items[0].position).toBeGreaterThan(0);
    expect(JSON.stringify(sealed.body)).not.toContain('Planted');
  });

  test('of the system has no origin', async () => {
    await act({ action: 'rental.no-show', subjectId: 'r-system' });
    expect((await ask('?subjectId=r-system')).body.items[0].origin).toBeNull();
  });
});

describe('the log', () => {
  test('comes newest first, page by page, each entry once', async () => {
    for (let n = 0; n < 7; n += 1) await act({ action: 'rental.extend', subjectId: 'r-pages' });
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await ask(`?subjectId=r-pages&limit=3${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.items.map((item: { readonly id: string }) => item.id));
      cursor = body.nextCursor ?? '';
    } while (cursor !== '');
    expect(seen).toHaveLength(7);
    expect(seen).toEqual([...new Set(seen)].toSorted().toReversed());
  });

  test('is searched by actor, action, subject, command and time', async () => {
    await act({ action: 'rental.swap', subjectId: 'r-found', commandId: 'c-7' });
    const count = async (query: string) => (await ask(query)).body.items.length;
    const base = '?subjectType=rental&subjectId=r-found';
    expect(await count(base)).toBe(1);
    expect(await count(`${base}&actor=system:test&action=rental.swap&commandId=c-7`)).toBe(1);
    expect(await count(`${base}&action=rental.extend`)).toBe(0);
    expect(await count(`${base}&actor=system:other`)).toBe(0);
    expect(await count(`${base}&from=2020-01-01T00:00:00Z&until=2099-01-01T00:00:00Z`)).toBe(1);
    expect(await count(`${base}&until=2020-01-01T00:00:00Z`)).toBe(0);
    expect(await count(`?action=${encodeURIComponent("' OR 1=1--")}`)).toBe(0);
  });

  test('reports overrides and back-dated acts apart', async () => {
    await act({ action: 'rental.extend', subjectId: 'r-plain' });
    await act({ action: 'rental.waive', subjectId: 'r-override', reason: 'loyal customer' });
    const yesterday = new Date(Date.now() - 86_400_000).toISOString();
    const now = new Date().toISOString();
    const since = (effectiveAt: string) => ({ effectiveAt });
    await act({ action: 'rental.check-in', subjectId: 'r-past', after: since(yesterday) });
    await act({ action: 'rental.check-in', subjectId: 'r-now', after: since(now) });
    const subjects = async (report: string) =>
      (await ask(`?report=${report}`)).body.items.map(
        (item: { readonly subjectId: string }) => item.subjectId,
      );
    expect(await subjects('overrides')).toEqual(['r-override']);
    expect(await subjects('back-dated')).toEqual(['r-past']);
  });

  test.each(['?report=all', '?limit=0', '?cursor=x', '?sort=actor', '?from=yesterday'])(
    'is not asked by %s: 422',
    async (query) => expect((await ask(query)).status).toBe(422),
  );
});

describe('who may read it', () => {
  test.each(ROLES)('%s', async (role) => {
    const token = await tokenOf(await plantStaff(api.database.owner, { roles: [role] }));
    const answer = await api.call('GET', '/api/v1/audit', { token });
    if (role === 'auditor' || role === 'administrator') expect(answer.status).toBe(200);
    else expectProblem(answer, 403, 'forbidden');
  });

  test('nobody may write it', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await api.call(method, '/api/v1/audit', { body: {} });
      expectProblem(answer, 405, 'method-not-allowed');
    }
  });
});

type Act = {
  readonly action: string;
  readonly subjectId: string;
  readonly commandId?: string;
  readonly reason?: string;
  readonly after?: object;
};

function act(entry: Act): Promise<void> {
  return transact(api.database.db, 'rentals_rw', 'system:test', (tx) =>
    recordAudit(tx, { subjectType: 'rental', ...entry }),
  );
}
