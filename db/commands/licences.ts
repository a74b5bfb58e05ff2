// Customers' licences: number and birth date lie sealed in the customer's row, and open nowhere else.
import { sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';
import type { Envelope, SealedAt } from '../envelope.ts';
import { publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { updateVersion } from './master-data.ts';

/** Dates are calendar dates, yyyy-mm-dd. */
export type Licence = {
  readonly number: string;
  readonly birthDate: string;
  /** As printed, e.g. `B`. */
  readonly classes?: readonly string[] | undefined;
  readonly issuedOn?: string | undefined;
  readonly validUntil?: string | undefined;
  /** When somebody has to look at it again. */
  readonly recheckOn?: string | undefined;
};
export type KeptLicence = { readonly licence: Licence | null; readonly version: number };

type Column = 'licence_number' | 'birth_date';
type Row = {
  readonly id: string;
  readonly version: number;
  readonly sealed_key_id: string | null;
  readonly licence_number: Buffer | null;
  readonly birth_date: Buffer | null;
  readonly licence_classes: readonly string[] | null;
  readonly licence_issued_on: string | null;
  readonly licence_valid_until: string | null;
  readonly licence_recheck_on: string | null;
};

export function licenceAt(column: Column, id: string): SealedAt {
  return { table: 'rentals.customer', column, id };
}

/** Numbers that people write with other spaces and dashes are the same. */
export function licenceDigests(envelope: Envelope, number: string): readonly Buffer[] {
  const bare = number.toUpperCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
  return envelope.digests(bare, 'licence number');
}

export function birthDigests(envelope: Envelope, birthDate: string): readonly Buffer[] {
  return envelope.digests(birthDate, 'birth date');
}

/**
 * Replaces what was there. `version` is the customer's; throws `not-found`, or `version-conflict`
 * when it is not the newest, `value-refused` for a company. Event and audit entry name the fields,
 * never what is in them.
 */
export function setLicence(
  db: Db,
  envelope: Envelope,
  acting: Acting,
  id: string,
  version: number,
  licence: Licence,
): Promise<KeptLicence> {
  const number = envelope.seal(licence.number, licenceAt('licence_number', id));
  const birthDate = envelope.seal(licence.birthDate, licenceAt('birth_date', id));
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const row = await updateVersion<Row>(tx, 'rentals.customer', id, version, {
      sealed_key_id: envelope.currentKeyId,
      licence_number: number.bytes,
      birth_date: birthDate.bytes,
      licence_hash: licenceDigests(envelope, licence.number)[0],
      birth_hash: birthDigests(envelope, licence.birthDate)[0],
      licence_classes: licence.classes ?? null,
      licence_issued_on: licence.issuedOn ?? null,
      licence_valid_until: licence.validUntil ?? null,
      licence_recheck_on: licence.recheckOn ?? null,
    });
    await publish(tx, {
      type: 'forecourt.customer.updated.v1',
      aggregateId: id,
      sequence: row.version,
      data: { customerId: id },
    });
    const subject = { subjectType: 'customer', subjectId: id } as const;
    const dated = Object.keys(licence).filter((field) => field !== 'number');
    const after = { fields: ['licenceNumber', ...dated] };
    await recordAudit(tx, { action: 'customer.set-licence', ...subject, after });
    return { licence, version: row.version };
  });
}

/** `licence` is null until there is one; undefined for an unknown customer. */
export function licenceOf(
  db: Db,
  envelope: Envelope,
  acting: Acting,
  id: string,
): Promise<KeptLicence | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<Row>`select id, version, sealed_key_id, licence_number, birth_date,
        licence_classes, licence_issued_on, licence_valid_until, licence_recheck_on
      from rentals.customer where id = ${id}`.execute(tx);
    return rows[0] && { licence: opened(envelope, rows[0]), version: rows[0].version };
  });
}

function opened(envelope: Envelope, row: Row): Licence | null {
  const { id, sealed_key_id: keyId, licence_number: number, birth_date: birthDate } = row;
  if (keyId === null || number === null || birthDate === null) return null;
  const open = (bytes: Buffer, column: Column) =>
    envelope.open({ keyId, bytes }, licenceAt(column, id)).toString();
  const { licence_classes: classes, licence_issued_on: issuedOn } = row;
  const { licence_valid_until: validUntil, licence_recheck_on: recheckOn } = row;
  return {
    number: open(number, 'licence_number'),
    birthDate: open(birthDate, 'birth_date'),
    ...(classes && { classes }),
    ...(issuedOn && { issuedOn }),
    ...(validUntil && { validUntil }),
    ...(recheckOn && { recheckOn }),
  };
}
