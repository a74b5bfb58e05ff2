// The second step: one-time codes, recovery codes, enrolment and devices that are remembered.
import { randomBytes } from 'node:crypto';
import type { Db } from '../../db/client.ts';
import {
  confirmSecret,
  keepDevice,
  keepSecret,
  totpSecretAt,
  useCode,
  useRecoveryCode,
} from '../../db/commands/second-factor.ts';
import type { Envelope, Sealed } from '../../db/envelope.ts';
import { staffById } from '../../db/queries/people.ts';
import { found } from '../problems.ts';
import type { SignIn } from './sign-in.ts';
import { base32, matchingStep, newTotpSecret, totpUri } from './totp.ts';

type Deps = {
  readonly db: Db;
  readonly envelope: Envelope;
  readonly now: () => string;
};

type Steps = Pick<
  SignIn,
  'totpStep' | 'recoveryStep' | 'beginEnrolment' | 'confirmEnrolment' | 'rememberDevice'
>;

const RECOVERY_CODES = 10;
const ISSUER = 'Forecourt';

export function secondFactor({ db, envelope, now }: Deps): Steps {
  /** People type codes in groups. */
  const stepOf = (staffId: string, code: string) => (secret: Sealed) =>
    matchingStep(envelope.open(secret, totpSecretAt(staffId)), code.replaceAll(/\s/g, ''), now());
  return {
    totpStep: async ({ staffId, code }) => ({
      outcome: await useCode(db, staffId, stepOf(staffId, code)),
    }),
    recoveryStep: async ({ staffId, code }) => ({
      outcome: await useRecoveryCode(db, staffId, plainRecoveryCode(code)),
    }),
    beginEnrolment: async (staffId) => {
      const { user_name } = found(await staffById(db, staffId), 'person');
      const secret = newTotpSecret();
      await keepSecret(db, staffId, envelope.seal(secret, totpSecretAt(staffId)));
      return { secret: base32(secret), uri: totpUri(secret, ISSUER, user_name) };
    },
    confirmEnrolment: async ({ staffId, code }) => {
      const recoveryCodes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
      const plain = recoveryCodes.map(plainRecoveryCode);
      const confirmed = await confirmSecret(db, staffId, stepOf(staffId, code), plain);
      return confirmed ? { outcome: 'ok', recoveryCodes } : { outcome: 'refused' };
    },
    rememberDevice: async ({ staffId, description }) => {
      const cookie = randomBytes(32).toString('base64url');
      const expiresAt = await keepDevice(db, { staffId, secret: cookie, description });
      return { cookie, expiresAt };
    },
  };
}

/** 128 bits, which a plain hash protects well enough (ASVS 6.5.2), in groups that can be copied by hand. */
function newRecoveryCode(): string {
  return (base32(randomBytes(16)).match(/.{1,4}/g) ?? []).join('-').toLowerCase();
}

function plainRecoveryCode(code: string): string {
  return code.replaceAll(/[\s-]/g, '').toLowerCase();
}
