// The demo company's people: one of each role, all with one password that is printed, never in production.
import { createHmac } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Passwords } from '../api/auth/passwords.ts';
import { base32, stepAt, totpCode } from '../api/auth/totp.ts';
import type { Db } from '../db/client.ts';
import { credentialsOf } from '../db/commands/credentials.ts';
import { confirmSecret, keepSecret, totpSecretAt } from '../db/commands/second-factor.ts';
import { hireStaff } from '../db/commands/staff.ts';
import type { Envelope } from '../db/envelope.ts';
import { listStaff } from '../db/queries/people.ts';
import { needsSecondFactor, type Role } from '../domain/people.ts';

const LOADER = 'system:demo-loader';

export type DemoUser = {
  readonly userName: string;
  readonly name: string;
  readonly role: Role;
  /** Null: every branch. */
  readonly branches: readonly string[] | null;
};

export const DEMO_USERS: readonly DemoUser[] = [
  { userName: 'agent', name: 'Anna Agent', role: 'counter-agent', branches: ['VIE'] },
  { userName: 'senior', name: 'Simon Senior', role: 'senior-agent', branches: ['VIE'] },
  { userName: 'manager', name: 'Maria Manager', role: 'branch-manager', branches: ['VIE'] },
  { userName: 'planner', name: 'Paul Planner', role: 'fleet-planner', branches: null },
  { userName: 'technician', name: 'Tina Technician', role: 'technician', branches: null },
  { userName: 'accountant', name: 'Alex Accountant', role: 'accountant', branches: null },
  { userName: 'controller', name: 'Carla Controller', role: 'finance-controller', branches: null },
  { userName: 'auditor', name: 'Axel Auditor', role: 'auditor', branches: null },
  { userName: 'admin', name: 'Ada Administrator', role: 'administrator', branches: null },
];

/** Follows from the password, so that whoever knows the one can show the codes of all. */
function demoSecret(password: string, userName: string): Buffer {
  return createHmac('sha1', password).update(`totp ${userName}`).digest();
}

/** In base32, as authenticator apps take it. */
export function demoTotpSecret(password: string, userName: string): string {
  return base32(demoSecret(password, userName));
}

/** What the demo user's authenticator app would show. */
export function demoCode(password: string, userName: string, now: string): string {
  return totpCode(demoSecret(password, userName), stepAt(now));
}

export function needsDemoCode(user: DemoUser): boolean {
  return needsSecondFactor([user.role]);
}

export type DemoLoad = {
  readonly password: string;
  readonly passwords: Passwords;
  readonly envelope: Envelope;
  readonly now: string;
};

/**
 * Hires those who are missing, unless somebody real works here. Answers whether this is the
 * password of the demo users that there are: it is not when they were made with another.
 */
export async function loadDemoUsers(db: Db, given: DemoLoad): Promise<boolean> {
  const { rows: staff } = await listStaff(db, { limit: DEMO_USERS.length + 1 });
  if (staff.some((person) => !person.is_demo)) return false;
  const known = new Set(staff.map((person) => person.user_name));
  const missing = DEMO_USERS.filter((user) => !known.has(user.userName));
  const passwordHash = await given.passwords.hash(given.password);
  for (const { role, ...user } of missing) {
    const id = uuidv7();
    const email = `${user.userName}@demo.invalid`;
    await hireStaff(db, LOADER, { ...user, id, email, roles: [role], passwordHash, isDemo: true });
    if (needsSecondFactor([role])) await enrol(db, id, user.userName, given);
  }
  const first = await credentialsOf(db, DEMO_USERS[0]?.userName ?? '');
  return given.passwords.verify(given.password, first?.hash ?? undefined);
}

async function enrol(db: Db, id: string, userName: string, given: DemoLoad): Promise<void> {
  const secret = demoSecret(given.password, userName);
  await keepSecret(db, id, given.envelope.seal(secret, totpSecretAt(id)));
  // A step that is over, so that the first code of now is not used up.
  await confirmSecret(db, id, () => stepAt(given.now) - 2, []);
}

/** For people to read: who there is, how they sign in, and what their apps need to be told. */
export function demoReport(password: string): string {
  const rows = DEMO_USERS.map((user) => {
    const { userName, role, branches } = user;
    const place = branches?.join(', ') ?? 'every branch';
    const app = needsDemoCode(user) ? demoTotpSecret(password, userName) : '-';
    return `  ${userName.padEnd(11)} ${role.padEnd(19)} ${place.padEnd(13)} ${app}`;
  });
  return [
    `Demo users, all with the password ${password}`,
    `  ${'user'.padEnd(11)} ${'role'.padEnd(19)} ${'branches'.padEnd(13)} secret for an authenticator app`,
    ...rows,
  ].join('\n');
}
