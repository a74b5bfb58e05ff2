// People for tests: hired with a password that is quick to check, and a sign-in service of their own.
import { randomBytes, randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { simulatedMail } from '../../api/auth/mail.ts';
import { createPasswords } from '../../api/auth/passwords.ts';
import { createSignIn, type SignIn, type SignInDeps } from '../../api/auth/sign-in.ts';
import type { Db } from '../../db/client.ts';
import { hireStaff } from '../../db/commands/staff.ts';
import { openEnvelope } from '../../db/envelope.ts';
import type { StaffRow } from '../../db/queries/people.ts';
import type { Role } from '../../domain/people.ts';

export const PASSWORD = 'four candles, a lamp';
export const HIRER = 'system:test';

/** Argon2id with a fraction of the memory: what is tested here is not its cost. */
export const QUICK = createPasswords({ memoryKiB: 8_192, passes: 2, lanes: 1 });

let quickHash: Promise<string> | undefined;

export type Hired = StaffRow & { readonly principal: string };

/** Someone with `PASSWORD`; roles default to counter agent, branches to all. */
export async function hire(
  db: Db,
  given: {
    readonly roles?: readonly Role[];
    readonly branches?: readonly string[];
    readonly id?: string;
  } = {},
): Promise<Hired> {
  quickHash ??= QUICK.hash(PASSWORD);
  const userName = `p-${randomUUID().slice(0, 13)}`;
  const row = await hireStaff(db, HIRER, {
    id: given.id ?? uuidv7(),
    userName,
    name: 'Pat Person',
    email: `${userName}@example.com`,
    roles: given.roles ?? ['counter-agent'],
    branches: given.branches ?? null,
    passwordHash: await quickHash,
  });
  return { ...row, principal: `staff:${row.id}` };
}

/** Over real tables; letters go into people.mail. */
export function testSignIn(db: Db, more: Partial<SignInDeps> = {}): SignIn {
  return createSignIn({
    db,
    envelope: openEnvelope(`test:${randomBytes(32).toString('base64')}`),
    mail: simulatedMail(db),
    now: () => new Date().toISOString(),
    publicUrl: 'http://localhost:8080',
    passwords: QUICK,
    ...more,
  });
}

let addresses = 0;

/** An address that nobody else of this file uses. */
export function freshAddress(): string {
  addresses += 1;
  return `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses & 255}`;
}
