// Branches that are not there for a caller: the sandbox for customers, others' for partners.
import type { Context } from 'hono';
import type { Db } from '../db/client.ts';
import { branchById } from '../db/queries/vehicles.ts';
import { knowsBranch } from './auth/scope.ts';
import type { ApiEnv } from './deps.ts';
import { found, ProblemError } from './problems.ts';

/** Throws 404 as for a branch that never was. Staff, who know them all, wait for no read. */
export async function assertKnown(c: Context<ApiEnv>, db: Db, branchId: string): Promise<void> {
  if (c.get('caller').actor.kind === 'staff') return;
  const branch = found(await branchById(db, branchId), 'branch');
  found(knowsBranch(c, branch) || undefined, 'branch');
}

type Places = { readonly branchId: string; readonly returnBranchId?: string | undefined };

/** The same of what is asked for, and where it ends: 422 `unknown-reference`. */
export async function assertKnownPlaces(
  c: Context<ApiEnv>,
  db: Db,
  { branchId, returnBranchId = branchId }: Places,
): Promise<void> {
  if (c.get('caller').actor.kind === 'staff') return;
  const ids = [...new Set([branchId, returnBranchId])];
  const branches = await Promise.all(ids.map((id) => branchById(db, id)));
  if (branches.every((one) => one !== undefined && knowsBranch(c, one))) return;
  throw new ProblemError('unknown-reference', 'There is no such branch.', {
    more: { of: 'branch' },
  });
}
