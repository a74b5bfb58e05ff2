// Roles of the database and what the server refuses them, for tests of privileges.
import { sql } from 'kysely';
import { type Db, type Role, transact } from '../../db/client.ts';
import { AGENT } from './fleet.ts';

export const SCHEMAS = [
  'vehicles',
  'rentals',
  'maintenance',
  'people',
  'accounting',
  'events',
] as const;
export const ROLES: readonly Role[] = [
  'vehicles_rw',
  'rentals_rw',
  'maintenance_rw',
  'people_rw',
  'accounting_rw',
  'events_rw',
  'api_rw',
  'api_read',
];
export const DENIED = '42501';

/** Runs a statement as a role and undoes it; answers the SQLSTATE of its refusal, if any. */
export async function refusal(db: Db, role: Role, statement: string): Promise<string | undefined> {
  const undo = new Error('undo');
  try {
    await transact(db, role, AGENT, async (tx) => {
      await sql.raw(statement).execute(tx);
      throw undo;
    });
  } catch (error) {
    return error === undo ? undefined : (error as { code?: string }).code;
  }
  return undefined;
}
