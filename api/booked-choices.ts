// What is taken beside the vehicle, from a caller's words to those of the rate plan.
import type { Context } from 'hono';
import { currentRatePlan } from '../db/queries/rentals.ts';
import type { BookedChoices } from '../domain/booking.ts';
import { driversOf } from '../domain/pricing.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { ProblemError } from './problems.ts';

type Asked = {
  readonly rate?: string | null | undefined;
  readonly driverAges?: readonly number[] | undefined;
};

/**
 * The same with the drivers' age bands instead of their ages, which go no further than here. Only
 * for ages the plan of what is `priced` is looked up. Throws 403 for a negotiated rate that is not the caller's to ask for.
 */
export async function withBands<A extends Asked>(
  c: Context<ApiEnv>,
  { db }: Pick<ApiDeps, 'db'>,
  asked: A,
  priced: { readonly branchId: string; readonly classId: string },
): Promise<Omit<A, 'driverAges'> & Pick<BookedChoices, 'drivers'>> {
  assertRate(c, asked.rate);
  const { driverAges, ...rest } = asked;
  if (driverAges === undefined) return rest;
  const plan = await currentRatePlan(db, priced);
  return plan === undefined ? rest : { ...rest, drivers: driversOf(driverAges, plan) };
}

/** What a company pays is its own affair: only staff quote and book by a negotiated rate. */
export function assertRate(c: Context<ApiEnv>, rate: string | null | undefined): void {
  if (!rate || c.get('caller').actor.kind === 'staff') return;
  throw new ProblemError('forbidden', 'Only staff quote by a negotiated rate.');
}
