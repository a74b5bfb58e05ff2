// Mailed links that are good once: a forgotten password, and a customer's way in.
import type { Db } from '../../db/client.ts';
import {
  isLinkGood,
  issueLink,
  type LinkPurpose,
  redeemLink,
  resetPassword,
} from '../../db/commands/credentials.ts';
import { customersByEmail, staffById, staffByNameOrEmail } from '../../db/queries/people.ts';
import type { Letter, Mail } from '../../notifications/mail.ts';
import { type Passwords, passwordFault } from './passwords.ts';
import type { SignIn } from './sign-in.ts';

type Deps = {
  readonly db: Db;
  readonly mail: Mail;
  readonly publicUrl: string;
  readonly passwords: Passwords;
  readonly onLetterFailed?: (error: unknown) => void;
};

type Links = Pick<
  SignIn,
  'requestReset' | 'reset' | 'requestCustomerLink' | 'redeemCustomerLink' | 'lettersSent'
>;

const RESET_MINUTES = 30;
const CUSTOMER_MINUTES = 15;
/** Letters for one person in an hour; nobody can flood somebody else's mailbox through us. */
const MOST_IN_AN_HOUR = 3;

export function mailedLinks(deps: Deps): Links {
  const { db, passwords } = deps;
  const underway = new Set<Promise<void>>();
  /** After the answer, so that its time says nothing about who exists. */
  const later = (work: () => Promise<void>) => {
    const done = work()
      .catch((error: unknown) => deps.onLetterFailed?.(error))
      .finally(() => underway.delete(done));
    underway.add(done);
  };
  return {
    requestReset: async ({ userNameOrEmail }) => {
      later(() => mailReset(deps, userNameOrEmail.trim()));
    },
    reset: async ({ token, password }) => {
      if (!(await isLinkGood(db, 'password-reset', token))) return { outcome: 'refused' };
      const fault = await passwordFault(password);
      if (fault !== undefined) return { outcome: 'weak', fault };
      const whose = await resetPassword(db, token, await passwords.hash(password));
      if (whose === undefined) return { outcome: 'refused' };
      later(() => mailChanged(deps, whose));
      return { outcome: 'ok' };
    },
    requestCustomerLink: async ({ email }) => {
      later(() => mailCustomerLinks(deps, email.trim()));
    },
    redeemCustomerLink: async (token) => {
      const subject = await redeemLink(db, 'customer-sign-in', token);
      return subject?.slice('customer:'.length) ?? null;
    },
    lettersSent: async () => {
      await Promise.all(underway);
    },
  };
}

async function mailReset(deps: Deps, userNameOrEmail: string): Promise<void> {
  const person = await staffByNameOrEmail(deps.db, userNameOrEmail);
  if (person?.status !== 'active') return;
  await mailLink(deps, {
    to: person.email,
    subject: `staff:${person.id}`,
    purpose: 'password-reset',
    minutes: RESET_MINUTES,
    letter: (token) => ({
      subject: 'Set a new password',
      text: [
        `Hello ${person.name},`,
        'somebody, probably you, asked for a new password. Within half an hour it is set here:',
        `${deps.publicUrl}/account/reset?token=${token}`,
        'If it was not you, nothing needs to be done.',
      ].join('\n\n'),
    }),
  });
}

/** So that nobody's password changes behind their back (ASVS 6.3.7). */
async function mailChanged(deps: Deps, subject: string): Promise<void> {
  const person = await staffById(deps.db, subject.slice('staff:'.length));
  if (person === undefined) return;
  await deps.mail.send({
    to: person.email,
    subject: 'Your password was changed',
    text: [
      `Hello ${person.name},`,
      'your password was changed by a mailed link, and every device was signed out.',
      'If it was not you, tell your administrator at once.',
    ].join('\n\n'),
  });
}

async function mailCustomerLinks(deps: Deps, email: string): Promise<void> {
  for (const id of await customersByEmail(deps.db, email)) {
    await mailLink(deps, {
      to: email,
      subject: `customer:${id}`,
      purpose: 'customer-sign-in',
      minutes: CUSTOMER_MINUTES,
      letter: (token) => ({
        subject: 'Your way to your rentals',
        text: [
          'For a quarter of an hour, and once, this link shows you your rentals:',
          `${deps.publicUrl}/sign-in/customer?token=${token}`,
          'If you did not ask for it, nothing needs to be done.',
        ].join('\n\n'),
      }),
    });
  }
}

type LinkLetter = {
  readonly to: string;
  readonly subject: string;
  readonly purpose: LinkPurpose;
  readonly minutes: number;
  readonly letter: (token: string) => Omit<Letter, 'to'>;
};

async function mailLink(deps: Deps, link: LinkLetter): Promise<void> {
  const { to, subject, purpose, minutes, letter } = link;
  const token = await issueLink(deps.db, {
    subject,
    purpose,
    minutes,
    mostInAnHour: MOST_IN_AN_HOUR,
  });
  if (token !== undefined) await deps.mail.send({ to, ...letter(token) });
}
