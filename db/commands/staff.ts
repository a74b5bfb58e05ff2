// Staff: who works here, in which roles and branches. A change ends the tokens that are out.
import { type Selectable, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Role, StaffStatus } from '../../domain/people.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { PeopleStaff } from '../schema.ts';
import { recordAudit } from './audit.ts';
import { setFirstPassword } from './credentials.ts';
import { named } from './master-data.ts';
import { endSessionsIn } from './sessions.ts';

type StaffRow = Selectable<PeopleStaff>;

type Details = {
  readonly name: string;
  readonly email: string;
  readonly roles: readonly Role[];
  /** Null: every branch. */
  readonly branches: readonly string[] | null;
};

export type NewStaff = Details & {
  readonly id: string;
  readonly userName: string;
  /** A PHC string; without one the person sets a password by a mailed link. */
  readonly passwordHash?: string | undefined;
  readonly isDemo?: boolean | undefined;
  /** Of an outside identity provider, by which it knows the person. */
  readonly outside?: { readonly issuer: string; readonly subject: string } | undefined;
};

export type StaffChange = Partial<Details> & { readonly status?: StaffStatus | undefined };

/**
 * A repeat with the same id answers the person who is there. Throws `duplicate` when the user name
 * or the address is another's.
 */
export function hireStaff(db: Db, principal: string, person: NewStaff): Promise<StaffRow> {
  return transact(db, 'people_rw', principal, async (tx) => {
    const inserted = await insertStaff(tx, person);
    if (inserted === undefined) return existing(tx, person);
    if (person.passwordHash !== undefined) {
      await setFirstPassword(tx, person.id, person.passwordHash);
    }
    await publishStaff(tx, 'forecourt.staff.hired.v1', inserted);
    await recordAudit(tx, { action: 'staff.hire', ...subject(inserted), after: rights(inserted) });
    return inserted;
  });
}

/** Throws `not-found`, `version-conflict`, or `duplicate` when the address is another's. */
export function changeStaff(
  db: Db,
  principal: string,
  id: string,
  version: number,
  change: StaffChange,
): Promise<StaffRow> {
  return transact(db, 'people_rw', principal, async (tx) => {
    const before = await lockStaff(tx, id);
    if (before.version !== version) {
      throw new DomainError('version-conflict', 'Somebody changed it meanwhile.', {
        version: before.version,
      });
    }
    if (principal === `staff:${id}` && givesRights(change)) {
      throw new DomainError('four-eyes', 'Nobody changes their own rights.');
    }
    const row = await updateStaff(tx, id, change);
    if (row.status !== 'active') await endSessionsIn(tx, `staff:${id}`, 'left');
    await publishStaff(tx, 'forecourt.staff.changed.v1', row);
    await recordAudit(tx, {
      action: 'staff.change',
      ...subject(row),
      before: rights(before),
      after: { ...rights(row), fields: Object.keys(change) },
    });
    return row;
  });
}

/**
 * For who lost the device and the recovery codes: they enrol again at the next sign-in, which their
 * password alone opens, so another person sees to it that it is them. Throws `four-eyes`, `not-found`.
 */
export function removeSecondFactor(db: Db, principal: string, id: string): Promise<void> {
  const of = `staff:${id}`;
  if (principal === of) {
    throw new DomainError('four-eyes', 'Somebody else has to do this.');
  }
  return transact(db, 'people_rw', principal, async (tx) => {
    await lockStaff(tx, id);
    const row = await updateStaff(tx, id, {});
    await sql`delete from people.totp where subject = ${of}`.execute(tx);
    await sql`delete from people.recovery_code where subject = ${of}`.execute(tx);
    await sql`delete from people.remembered_device where subject = ${of}`.execute(tx);
    await endSessionsIn(tx, of, 'revoked');
    await publishStaff(tx, 'forecourt.staff.changed.v1', row);
    await recordAudit(tx, { action: 'staff.remove-second-factor', ...subject(row) });
  });
}

async function insertStaff(tx: Tx, person: NewStaff): Promise<StaffRow | undefined> {
  const { rows } = await named(() =>
    sql<StaffRow>`insert into people.staff (id, user_name, name, email, roles, branches, is_demo,
        outside_issuer, outside_subject)
      values (${person.id}, ${person.userName}, ${person.name}, ${person.email},
        ${[...person.roles]}::text[], ${list(person.branches)}::text[], ${person.isDemo ?? false},
        ${person.outside?.issuer ?? null}, ${person.outside?.subject ?? null})
      on conflict (id) do nothing returning *`.execute(tx),
  );
  return rows[0];
}

async function existing(tx: Tx, person: NewStaff): Promise<StaffRow> {
  const row = await lockStaff(tx, person.id);
  if (row.user_name === person.userName && row.email === person.email) return row;
  throw new DomainError('duplicate', 'It exists already.', { id: person.id });
}

async function lockStaff(tx: Tx, id: string): Promise<StaffRow> {
  const { rows } = await sql<StaffRow>`select * from people.staff where id = ${id}
    for update`.execute(tx);
  if (rows[0] === undefined) throw new DomainError('not-found', 'There is no such person.');
  return rows[0];
}

async function updateStaff(tx: Tx, id: string, change: StaffChange): Promise<StaffRow> {
  const changes = [sql`version = version + 1`];
  if (change.name !== undefined) changes.push(sql`name = ${change.name}`);
  if (change.email !== undefined) changes.push(sql`email = ${change.email}`);
  if (change.roles !== undefined) changes.push(sql`roles = ${[...change.roles]}::text[]`);
  if (change.branches !== undefined) {
    changes.push(sql`branches = ${list(change.branches)}::text[]`);
  }
  if (change.status !== undefined) {
    changes.push(sql`status = ${change.status}`);
    const until = change.status === 'left' ? sql`current_date` : sql`null`;
    changes.push(sql`employed_until = ${until}`);
  }
  const { rows } = await named(() =>
    sql<StaffRow>`update people.staff set ${sql.join(changes)} where id = ${id}
      returning *`.execute(tx),
  );
  return rows[0] as StaffRow;
}

function givesRights(change: StaffChange): boolean {
  return change.roles !== undefined || change.branches !== undefined || change.status !== undefined;
}

async function publishStaff(
  tx: Tx,
  type: 'forecourt.staff.hired.v1' | 'forecourt.staff.changed.v1',
  row: StaffRow,
): Promise<void> {
  await publish(tx, {
    type,
    aggregateId: row.id,
    sequence: row.version,
    data: { staffId: row.id, status: row.status },
  });
}

/** What the audit log keeps: rights, never the person's details. */
function rights({ roles, branches, status }: StaffRow) {
  return { roles, branches, status };
}

function subject(row: StaffRow) {
  return { subjectType: 'staff', subjectId: row.id } as const;
}

function list(branches: readonly string[] | null): string[] | null {
  return branches === null ? null : [...branches];
}
