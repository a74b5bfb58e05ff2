// The second factor: the sealed secret of one-time codes, recovery codes and remembered devices.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { DomainError } from '../../domain/errors.ts';
import { type Db, type Tx, transact } from '../client.ts';
import type { Sealed, SealedAt } from '../envelope.ts';
import { recordAudit } from './audit.ts';
import { sha256 } from './credentials.ts';

const MAX_FAILURES = 5;
const LOCKED_MINUTES = 15;
const REMEMBERED_DAYS = 30;
const MAX_DESCRIPTION = 200;

export type CodeResult = 'ok' | 'refused' | 'locked';

type Row = {
  readonly key_id: string;
  readonly secret: Buffer;
  readonly confirmed_at: string | null;
  readonly last_step: number;
  readonly locked: boolean;
};

/** Where the secret lies: it opens nowhere else. */
export function totpSecretAt(staffId: string): SealedAt {
  return { table: 'people.totp', column: 'secret', id: `staff:${staffId}` };
}

/** Keeps the secret until a code confirms it. Throws `invalid-state` when one is in use. */
export function keepSecret(db: Db, staffId: string, secret: Sealed): Promise<void> {
  return transact(db, 'people_rw', `staff:${staffId}`, async (tx) => {
    const { rows } = await sql`insert into people.totp (subject, key_id, secret)
      values (${`staff:${staffId}`}, ${secret.keyId}, ${secret.bytes})
      on conflict (subject) do update
        set key_id = excluded.key_id, secret = excluded.secret, created_at = now()
        where totp.confirmed_at is null
      returning 1`.execute(tx);
    if (rows.length === 0) throw new DomainError('invalid-state', 'A second factor is in use.');
  });
}

/**
 * Tries a one-time code. `stepOf` finds the time step that the code belongs to; each step counts
 * once, however many ask at once (RFC 6238 section 5.2). Five wrong ones lock the code for a while.
 */
export function useCode(
  db: Db,
  staffId: string,
  stepOf: (secret: Sealed) => number | undefined,
): Promise<CodeResult> {
  return transact(db, 'people_rw', `staff:${staffId}`, async (tx) => {
    const row = await lockedRow(tx, staffId);
    if (row === undefined || row.confirmed_at === null) return 'refused';
    if (row.locked) return 'locked';
    const step = stepOf({ keyId: row.key_id, bytes: row.secret });
    if (step !== undefined && (await takeStep(tx, staffId, step))) return 'ok';
    return noteFailure(tx, staffId);
  });
}

/** Confirms the secret by its first code, and replaces the recovery codes. */
export function confirmSecret(
  db: Db,
  staffId: string,
  stepOf: (secret: Sealed) => number | undefined,
  recoveryCodes: readonly string[],
): Promise<boolean> {
  const subject = `staff:${staffId}`;
  return transact(db, 'people_rw', subject, async (tx) => {
    const row = await lockedRow(tx, staffId);
    if (row === undefined || row.confirmed_at !== null || row.locked) return false;
    const step = stepOf({ keyId: row.key_id, bytes: row.secret });
    if (step === undefined) {
      await noteFailure(tx, staffId);
      return false;
    }
    await takeStep(tx, staffId, step);
    await sql`update people.totp set confirmed_at = now() where subject = ${subject}`.execute(tx);
    await sql`delete from people.recovery_code where subject = ${subject}`.execute(tx);
    await sql`insert into people.recovery_code (subject, hash)
      select ${subject}, unnest(${recoveryCodes.map(sha256)}::bytea[])`.execute(tx);
    await recordAudit(tx, audited('staff.enrol-second-factor', staffId));
    return true;
  });
}

/** Uses a recovery code, once; wrong ones count like wrong one-time codes. */
export function useRecoveryCode(db: Db, staffId: string, code: string): Promise<CodeResult> {
  return transact(db, 'people_rw', `staff:${staffId}`, async (tx) => {
    const row = await lockedRow(tx, staffId);
    if (row === undefined || row.confirmed_at === null) return 'refused';
    if (row.locked) return 'locked';
    const { rows } = await sql`update people.recovery_code set used_at = now()
      where subject = ${`staff:${staffId}`} and hash = ${sha256(code)} and used_at is null
      returning 1`.execute(tx);
    if (rows.length === 0) return noteFailure(tx, staffId);
    await forgive(tx, staffId);
    await recordAudit(tx, audited('staff.use-recovery-code', staffId));
    return 'ok';
  });
}

/** The device's secret is hashed here; answers until when it is remembered. */
export function keepDevice(
  db: Db,
  given: { readonly staffId: string; readonly secret: string; readonly description: string },
): Promise<string> {
  const subject = `staff:${given.staffId}`;
  return transact(db, 'people_rw', subject, async (tx) => {
    const { rows } = await sql<{ expires_at: string }>`insert into people.remembered_device
        (id, subject, hash, description, expires_at)
      values (${uuidv7()}, ${subject}, ${sha256(given.secret)},
        ${given.description.slice(0, MAX_DESCRIPTION)},
        now() + make_interval(days => ${REMEMBERED_DAYS}))
      returning expires_at`.execute(tx);
    await recordAudit(tx, audited('staff.remember-device', given.staffId));
    return rows[0]?.expires_at ?? '';
  });
}

/** The device and its owner (a principal), while it is remembered. */
export function deviceOf(
  db: Db,
  secret: string,
): Promise<{ readonly id: string; readonly subject: string } | undefined> {
  return transact(db, 'people_rw', 'system:sign-in', async (tx) => {
    const { rows } = await sql<{ id: string; subject: string }>`select id, subject
      from people.remembered_device
      where hash = ${sha256(secret)} and expires_at > now()`.execute(tx);
    return rows[0];
  });
}

async function lockedRow(tx: Tx, staffId: string): Promise<Row | undefined> {
  const { rows } = await sql<Row>`select key_id, secret, confirmed_at, last_step,
    coalesce(locked_until > now(), false) as locked
    from people.totp where subject = ${`staff:${staffId}`} for update`.execute(tx);
  return rows[0];
}

async function takeStep(tx: Tx, staffId: string, step: number): Promise<boolean> {
  const { rows } = await sql`update people.totp
    set last_step = ${step}, failures = 0, locked_until = null
    where subject = ${`staff:${staffId}`} and last_step < ${step} returning 1`.execute(tx);
  return rows.length > 0;
}

async function forgive(tx: Tx, staffId: string): Promise<void> {
  await sql`update people.totp set failures = 0, locked_until = null
    where subject = ${`staff:${staffId}`}`.execute(tx);
}

/** The fifth locks, and after that each further one again: a guess in a quarter of an hour. */
async function noteFailure(tx: Tx, staffId: string): Promise<CodeResult> {
  await sql`update people.totp set failures = failures + 1,
      locked_until = case when failures + 1 >= ${MAX_FAILURES}
        then now() + make_interval(mins => ${LOCKED_MINUTES}) end
    where subject = ${`staff:${staffId}`}`.execute(tx);
  return 'refused';
}

function audited(action: string, staffId: string) {
  return { action, subjectType: 'staff', subjectId: staffId } as const;
}
