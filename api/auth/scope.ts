// Domain authorization by branch: which rows a caller sees, and where he may do what he may do.
import type { Context } from 'hono';
import type { RowAccess } from '../../db/client.ts';
import type { BranchFilter } from '../../db/queries/vehicles.ts';
import { principalOf } from '../../domain/actor.ts';
import { isWithin } from '../../domain/people.ts';
import type { ApiEnv } from '../deps.ts';
import { ProblemError } from '../problems.ts';
import { refusalOf } from './access.ts';
import { KNOWS_CUSTOMERS } from './roles.ts';

/** What the database's policies are told. Rows out of it are absent: their ids answer 404. */
export function rowAccessOf(c: Context<ApiEnv>): RowAccess {
  const { actor, branches } = c.get('caller');
  const principal = principalOf(actor);
  // Neither customers nor partners see anything by branch.
  if (actor.kind !== 'staff') return { principal, scope: principal };
  return { principal, scope: branches === 'all' ? '*' : `branches:${branches.join(',')}` };
}

/** True when there are rows that the caller may not see. */
export function isLimited(c: Context<ApiEnv>): boolean {
  return rowAccessOf(c).scope !== '*';
}

/** Customers ask for their own rows by their id, so that an index finds them, not the policy. */
export function ownCustomerId(c: Context<ApiEnv>): string | undefined {
  const { actor } = c.get('caller');
  return actor.kind === 'customer' ? actor.id : undefined;
}

/** Whether customers' names and contacts may be shown to the caller, or searched by. */
export function seesCustomers(c: Context<ApiEnv>): boolean {
  const access = { scope: 'customers:read', roles: KNOWS_CUSTOMERS } as const;
  return refusalOf(c.get('caller'), access) === null;
}

/**
 * Customers act for themselves; somebody else does not exist for them: 422 `unknown-reference`. For
 * partners, who bring their guests by name, nobody does.
 */
export function assertCustomer(c: Context<ApiEnv>, customerId: string): void {
  const { kind } = c.get('caller').actor;
  if (kind === 'staff' || ownCustomerId(c) === customerId) return;
  throw new ProblemError('unknown-reference', 'There is no such customer.', {
    more: { of: 'customer' },
  });
}

/**
 * Whether a branch is there for the caller: staff know them all, partners those that they may act at,
 * and customers none of the sandbox.
 */
export function knowsBranch(
  c: Context<ApiEnv>,
  { id, is_sandbox: isSandbox }: { readonly id: string; readonly is_sandbox: boolean },
): boolean {
  const { actor, branches } = c.get('caller');
  if (actor.kind === 'partner') return isWithin(branches, id);
  return actor.kind === 'staff' || !isSandbox;
}

/** The same for a list. */
export function knownBranches(c: Context<ApiEnv>): BranchFilter {
  const { actor, branches } = c.get('caller');
  if (actor.kind === 'partner') return branches === 'all' ? {} : { among: branches };
  return actor.kind === 'staff' ? {} : { isSandbox: false };
}

/**
 * For what is done at a branch. All staff may read of all branches, so a foreign one is not hidden:
 * throws 403 `forbidden`. Customers and partners come from anywhere.
 */
export function assertBranch(c: Context<ApiEnv>, branchId: string | undefined): void {
  const { actor, branches } = c.get('caller');
  if (branchId === undefined || actor.kind !== 'staff' || isWithin(branches, branchId)) return;
  throw new ProblemError('forbidden', 'You do not work at this branch.', { more: { branchId } });
}
