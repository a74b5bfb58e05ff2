// The password step: guesses are slow, and neither answer nor time tells who exists.
import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from '../../db/client.ts';
import { type Credentials, changePassword, credentialsOf } from '../../db/commands/credentials.ts';
import { deviceOf } from '../../db/commands/second-factor.ts';
import { proveSession } from '../../db/commands/sessions.ts';
import {
  type Attempt,
  attemptSucceeded,
  attemptWithdrawn,
  beginAttempt,
} from '../../db/commands/sign-in-attempts.ts';
import { staffById } from '../../db/queries/people.ts';
import { needsSecondFactor, type Role } from '../../domain/people.ts';
import { found } from '../problems.ts';
import { HashingBusy, type Passwords, passwordFault } from './passwords.ts';
import type { PasswordOutcome, SignIn } from './sign-in.ts';

type Deps = {
  readonly db: Db;
  readonly passwords: Passwords;
  readonly secondFactorFor?: readonly Role[];
};

/** While others guess at an account, its owner waits this long. */
const GUARDED_MS = 1_000;
const BUSY_S = 5;

type Tried =
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'slowed'; readonly retryAfterS: number }
  | { readonly outcome: 'ok'; readonly person: Credentials };

type Steps = Pick<SignIn, 'passwordStep' | 'changePassword' | 'stepAfter' | 'proveAgain'>;

export function passwordSteps(deps: Deps): Steps {
  const { db, passwords } = deps;
  return {
    passwordStep: async ({ rememberedDevice, ...given }) => {
      const device = rememberedDevice ? await deviceOf(db, rememberedDevice) : undefined;
      const tried = await tryPassword(deps, { ...given, device });
      if (tried.outcome !== 'ok') return tried;
      const { person } = tried;
      const remembered = device?.subject === `staff:${person.staffId}`;
      return { outcome: 'ok', staffId: person.staffId, next: nextOf(deps, person, remembered) };
    },
    stepAfter: async (staffId) => {
      const { user_name: userName } = found(await staffById(db, staffId), 'person');
      return nextOf(deps, found(await credentialsOf(db, userName), 'person'), false);
    },
    proveAgain: async ({ staffId, sessionId, password, address }) => {
      const userName = (await staffById(db, staffId))?.user_name;
      if (userName === undefined) return { outcome: 'refused' };
      const tried = await tryPassword(deps, { userName, password, address });
      if (tried.outcome !== 'ok') return tried;
      await proveSession(db, `staff:${staffId}`, sessionId);
      return { outcome: 'ok' };
    },
    changePassword: async ({ staffId, current, password, sessionId, address }) => {
      const fault = await passwordFault(password);
      if (fault !== undefined) return { outcome: 'weak', fault };
      const userName = (await staffById(db, staffId))?.user_name;
      if (userName === undefined) return { outcome: 'refused' };
      const tried = await tryPassword(deps, { userName, password: current, address });
      if (tried.outcome !== 'ok') return tried;
      const hash = await passwords.hash(password);
      await changePassword(db, `staff:${staffId}`, { staffId, hash, exceptSession: sessionId });
      return { outcome: 'ok' };
    },
  };
}

type Given = {
  readonly userName: string;
  readonly password: string;
  readonly address: string;
  readonly device?: { readonly id: string; readonly subject: string } | undefined;
};

async function tryPassword(deps: Deps, given: Given): Promise<Tried> {
  const { db } = deps;
  const userName = given.userName.trim().toLowerCase();
  const person = await credentialsOf(db, userName);
  // Only its owner's device counts for itself: with a device of one's own nobody guesses at others.
  const own = person !== undefined && given.device?.subject === `staff:${person.staffId}`;
  const at = {
    account: userName,
    address: given.address,
    ...(own && { device: given.device?.id }),
  };
  const attempt = await beginAttempt(db, at);
  if (attempt.outcome === 'slowed') return attempt;
  if (attempt.guarded) await delay(GUARDED_MS);
  const right = await verify(deps, attempt, given.password, person?.hash ?? undefined);
  if (right === 'busy') return { outcome: 'slowed', retryAfterS: BUSY_S };
  if (!right || person?.status !== 'active') return { outcome: 'refused' };
  await attemptSucceeded(db, at);
  return { outcome: 'ok', person };
}

async function verify(
  { db, passwords }: Deps,
  attempt: Extract<Attempt, { outcome: 'begun' }>,
  password: string,
  hash: string | undefined,
): Promise<boolean | 'busy'> {
  try {
    return await passwords.verify(password, hash);
  } catch (error) {
    await attemptWithdrawn(db, attempt.id);
    if (error instanceof HashingBusy) return 'busy';
    throw error;
  }
}

function nextOf(
  deps: Deps,
  person: Credentials,
  remembered: boolean,
): Extract<PasswordOutcome, { outcome: 'ok' }>['next'] {
  if (person.secondFactor) return remembered ? 'done' : 'totp';
  // The column holds what its constraint allows: the roles of domain/people.ts.
  const roles = person.roles as readonly Role[];
  return needsSecondFactor(roles, deps.secondFactorFor) ? 'enrol' : 'done';
}
