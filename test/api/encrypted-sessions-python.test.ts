// An independent caller of encrypted sessions: Python's `cryptography`, where the machine has it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { testApi } from '../support/api.ts';

const script = fileURLToPath(new URL('../support/sealed_session.py', import.meta.url));
const hasCryptography =
  spawnSync('python3', ['-c', 'import cryptography.hazmat.primitives.kdf.hkdf']).status === 0;

// biome-ignore lint/suspicious/noExplicitAny: the script's answers are read by name.
function python(request: object): any {
  const { stdout, stderr } = spawnSync('python3', [script], { input: JSON.stringify(request) });
  if (stdout.length === 0) throw new Error(stderr.toString());
  return JSON.parse(stdout.toString());
}

test.skipIf(!hasCryptography)('a caller in Python and the API understand each other', async () => {
  const api = await testApi();
  const customer = await api.call('POST', '/api/v1/customers', { body: { name: 'Licensed' } });
  const path = `/api/v1/customers/${customer.body.id}/licence`;
  const mine = python({ do: 'generate' });
  const agreed = await api.call('POST', '/api/v1/session-keys', {
    body: { publicKey: mine.publicKey },
  });
  const { id, publicKey: serverKey } = agreed.body;
  const half = { private: mine.private, serverKey, id };
  const licence = { number: 'GRÜN-1', birthDate: '1984-02-29' };
  const place = `PUT ${path} 1 ${id}`;
  const body = python({ ...half, do: 'seal', place, text: JSON.stringify(licence) });
  const answer = await api.call('PUT', path, {
    body,
    headers: { 'x-session-key': id, 'x-sequence': '1', 'if-match': '"1"' },
  });
  expect(answer.status).toBe(200);
  const opened = python({ ...half, do: 'open', place, sealed: answer.body.sealed });
  expect(JSON.parse(opened.text)).toMatchObject(licence);
});
