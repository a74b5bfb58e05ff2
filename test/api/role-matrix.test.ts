// Who may use what: every operation of the OpenAPI document as every kind of caller, over HTTP.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { createApiKey, newApiKeyToken } from '../../db/commands/api-keys.ts';
import { createCustomer } from '../../db/commands/customers.ts';
import { ROLES } from '../../domain/people.ts';
import { type TestApi, testApi } from '../support/api.ts';
import {
  clientToken,
  customerPerson,
  type Person,
  plantPartner,
  plantStaff,
  tokenOf,
} from '../support/people.ts';

const FILE = new URL('./role-matrix.txt', import.meta.url);
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

type Access = {
  readonly scope: string;
  readonly roles: readonly string[];
  readonly customers?: string;
  readonly partners?: boolean;
};
type Operation = { readonly name: string; readonly method: string; readonly path: string } & {
  readonly access: Access | undefined;
};

let api: TestApi;
let operations: readonly Operation[];
/** The bearer of each column; null is a request without any. */
let callers: ReadonlyMap<string, string | null>;

beforeAll(async () => {
  api = await testApi();
  const { db, owner } = api.database;
  const { body } = await api.call('GET', '/openapi.json');
  operations = Object.entries<Record<string, { readonly 'x-access'?: Access }>>(body.paths)
    .filter(([path]) => path.startsWith('/api/'))
    .flatMap(([path, item]) =>
      METHODS.filter((method) => item[method] !== undefined).map((method) => ({
        name: `${method.toUpperCase()} ${path.replace('/api/v1', '')}`,
        method: method.toUpperCase(),
        path,
        access: item[method]?.['x-access'],
      })),
    );
  const staff = new Map<string, Person>();
  for (const role of ROLES) staff.set(role, await plantStaff(owner, { roles: [role] }));
  const customerId = uuidv7();
  await createCustomer(db, 'system:test', { id: customerId, name: 'Customer' });
  const key = newApiKeyToken();
  const agent = `staff:${staff.get('counter-agent')?.id}`;
  const limited = { id: uuidv7(), owner: agent, name: 'Key', scopes: ['rentals:read'] as const };
  await createApiKey(db, agent, { ...limited, expiresAt: '2099-01-01T00:00:00Z' }, key);
  const tokens = await Promise.all(
    [...staff].map(async ([role, one]) => [role, await tokenOf(one)] as const),
  );
  callers = new Map<string, string | null>([
    ...tokens,
    ['customer', await tokenOf(await customerPerson(owner, customerId))],
    ['partner', await clientToken(await plantPartner(owner))],
    ['key', key],
    ['nobody', null],
  ]);
});

/** `+` may, `.` may not; anything else is a surprise. The body is broken, so nothing happens. */
async function cell(operation: Operation, caller: string): Promise<string> {
  const bearer = callers.get(caller) ?? false;
  const path = operation.path.replaceAll(/\{[^}]+\}/g, randomUUID());
  const hasBody = operation.method !== 'GET' && operation.method !== 'DELETE';
  const answer = await api.call(operation.method, path, {
    token: bearer,
    ...(hasBody && { body: '{' }),
  });
  const slug = String(answer.body?.type ?? '').replace('/problems/', '');
  if (bearer === false) return answer.status === 401 && slug === 'unauthenticated' ? '.' : '!';
  if (answer.status === 403) return /^(forbidden|insufficient-scope)$/.test(slug) ? '.' : '!';
  return answer.status === 401 || answer.status >= 500 ? '!' : '+';
}

/** As the x-access of the document has it. */
function published({ access }: Operation, caller: string): string {
  if (access === undefined || caller === 'nobody') return '.';
  if (caller === 'customer') return access.customers === 'own' ? '+' : '.';
  if (caller === 'partner') return access.partners === true ? '+' : '.';
  const isKey = caller === 'key';
  if (isKey && access.scope !== 'rentals:read') return '.';
  return access.roles.includes(isKey ? 'counter-agent' : caller) ? '+' : '.';
}

async function table(
  of: (operation: Operation, caller: string) => string | Promise<string>,
): Promise<string> {
  const lines: string[] = [];
  for (const operation of operations) {
    const cells = await Promise.all(
      [...callers.keys()].map(async (caller) => of(operation, caller)),
    );
    lines.push(`${cells.join(' ')}  ${operation.name}`);
  }
  return `${lines.toSorted((a, b) => a.slice(27).localeCompare(b.slice(27), 'en')).join('\n')}\n`;
}

async function declared(): Promise<string> {
  const lines = (await readFile(FILE, 'utf8')).split('\n');
  return lines.filter((line) => !line.startsWith('#')).join('\n');
}

test('each operation declares who may use it, and needs a token in the document too', async () => {
  expect(operations.filter(({ access }) => access === undefined).map(({ name }) => name)).toEqual(
    [],
  );
});

test('what the document says is what was declared', async () => {
  expect(await table(published)).toBe(await declared());
});

test('every cell over HTTP is as declared', { timeout: 120_000 }, async () => {
  expect(await table(cell)).toBe(await declared());
});
