// An old key drop that a branch manager takes for true: the reason is kept apart, as it is free text.
import type { Context } from 'hono';
import { grantDrop } from '../db/commands/drop-overrides.ts';
import { rentalById } from '../db/queries/rentals.ts';
import type { CheckIn } from '../domain/rental.ts';
import { rowAccessOf } from './auth/scope.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { found, ProblemError } from './problems.ts';

/** Keeps the reason, if one is given. Throws 403 for who is no branch manager. */
export async function grantedDrop(
  c: Context<ApiEnv>,
  { db }: ApiDeps,
  rentalId: string,
  reason: string | undefined,
): Promise<Pick<CheckIn, 'dropGranted'>> {
  if (reason === undefined) return {};
  if (!c.get('caller').roles.includes('branch-manager')) {
    throw new ProblemError('forbidden', 'Only a branch manager may take an old key drop for true.');
  }
  found(await rentalById(db, rowAccessOf(c), rentalId), 'rental');
  await grantDrop(db, rowAccessOf(c), rentalId, reason);
  return { dropGranted: true };
}
