// The sign-in service as pages and tests see it: passwords, codes, links, devices and sessions.
import type { Db } from '../../db/client.ts';
import {
  endSession,
  endSessions,
  openSession,
  type SessionEnd,
  type SessionView,
  sessionsOf,
} from '../../db/commands/sessions.ts';
import type { Envelope } from '../../db/envelope.ts';
import type { Role } from '../../domain/people.ts';
import type { Mail } from '../../notifications/mail.ts';
import { createPasswords, type PasswordFault, type Passwords } from './passwords.ts';
import { secondFactor } from './sign-in-factor.ts';
import { mailedLinks } from './sign-in-links.ts';
import { passwordSteps } from './sign-in-password.ts';

export type PasswordOutcome =
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'slowed'; readonly retryAfterS: number }
  | { readonly outcome: 'ok'; readonly staffId: string; readonly next: 'totp' | 'enrol' | 'done' };

export type CodeOutcome = { readonly outcome: 'ok' | 'refused' | 'locked' };

export type EnrolmentOutcome =
  | { readonly outcome: 'ok'; readonly recoveryCodes: readonly string[] }
  | { readonly outcome: 'refused' };

export type NewPasswordOutcome =
  | { readonly outcome: 'ok' | 'refused' }
  | { readonly outcome: 'weak'; readonly fault: PasswordFault };

type Code = { readonly staffId: string; readonly code: string };

/** Addresses are the peer's, as text. Unknown names and wrong passwords look and take the same. */
export type SignIn = {
  readonly passwordStep: (given: {
    readonly userName: string;
    readonly password: string;
    readonly address: string;
    /** The value of the cookie that `rememberDevice` answered. */
    readonly rememberedDevice?: string | undefined;
  }) => Promise<PasswordOutcome>;
  /** What is missing after another proof than the password, which counts as one factor. */
  readonly stepAfter: (staffId: string) => Promise<'totp' | 'enrol' | 'done'>;
  readonly totpStep: (given: Code) => Promise<CodeOutcome>;
  readonly recoveryStep: (given: Code) => Promise<CodeOutcome>;
  /** Begins anew each time; throws `invalid-state` when a second factor is in use already. */
  readonly beginEnrolment: (
    staffId: string,
  ) => Promise<{ readonly secret: string; readonly uri: string }>;
  readonly confirmEnrolment: (given: Code) => Promise<EnrolmentOutcome>;
  readonly rememberDevice: (given: {
    readonly staffId: string;
    readonly description: string;
  }) => Promise<{ readonly cookie: string; readonly expiresAt: string }>;
  /** Answers at once and the same, whoever is asked for; the letter follows. */
  readonly requestReset: (given: {
    readonly userNameOrEmail: string;
    readonly address: string;
  }) => Promise<void>;
  readonly reset: (given: {
    readonly token: string;
    readonly password: string;
  }) => Promise<NewPasswordOutcome>;
  /** By the person, who is signed in: the other sessions end. */
  readonly changePassword: (given: {
    readonly staffId: string;
    readonly current: string;
    readonly password: string;
    readonly sessionId: string;
    readonly address: string;
  }) => Promise<NewPasswordOutcome | { readonly outcome: 'slowed'; readonly retryAfterS: number }>;
  /** That it is still the person who sits there: good for this session, for five minutes. */
  readonly proveAgain: (given: {
    readonly staffId: string;
    readonly sessionId: string;
    readonly password: string;
    readonly address: string;
  }) => Promise<
    | { readonly outcome: 'ok' | 'refused' }
    | { readonly outcome: 'slowed'; readonly retryAfterS: number }
  >;
  readonly requestCustomerLink: (given: {
    readonly email: string;
    readonly address: string;
  }) => Promise<void>;
  /** The customer's id, once per link. */
  readonly redeemCustomerLink: (token: string) => Promise<string | null>;
  /** `subject` is a principal. Answers the session's id, which tokens carry as `sid`. */
  readonly openSession: (given: {
    readonly subject: string;
    readonly device: string;
    readonly address: string | null;
  }) => Promise<string>;
  readonly sessionsOf: (subject: string) => Promise<readonly SessionView[]>;
  readonly endSession: (given: {
    readonly sessionId: string;
    readonly reason: SessionEnd;
    /** The principal who asks: then only a session of theirs ends. */
    readonly subject?: string;
  }) => Promise<void>;
  readonly endSessions: (given: {
    readonly subject: string;
    readonly reason: SessionEnd;
  }) => Promise<void>;
  /** Resolves when the letters asked for so far are sent. */
  readonly lettersSent: () => Promise<void>;
};

export type SignInDeps = {
  readonly db: Db;
  readonly envelope: Envelope;
  readonly mail: Mail;
  /** The present instant, ISO 8601 in UTC. */
  readonly now: () => string;
  /** Where the pages are, as in the letters' links; no slash at the end. */
  readonly publicUrl: string;
  /** Left out, hashing costs what the product's passwords shall cost. */
  readonly passwords?: Passwords;
  /** Left out, those who decide over money or people (domain/people.ts). */
  readonly secondFactorFor?: readonly Role[];
  /** Told when a letter could not be sent. */
  readonly onLetterFailed?: (error: unknown) => void;
};

export function createSignIn(deps: SignInDeps): SignIn {
  const { db } = deps;
  const passwords = deps.passwords ?? createPasswords();
  return {
    ...passwordSteps({ ...deps, passwords }),
    ...secondFactor(deps),
    ...mailedLinks({ ...deps, passwords }),
    openSession: (given) => openSession(db, given),
    sessionsOf: (subject) => sessionsOf(db, subject),
    endSession: async ({ sessionId: id, reason, subject }) => {
      const principal = subject ?? 'system:sign-in';
      await endSession(db, principal, { id, reason, ...(subject !== undefined && { subject }) });
    },
    endSessions: ({ subject, reason }) => endSessions(db, subject, subject, reason),
  };
}
