// What is taken beside the vehicle, from a caller's words to those of the rate plan.
import type { Context } from 'hono';
import type { Db } from '../db/client.ts';
import { heldQuoteById } from '../db/queries/held-quotes.ts';
import { ratePlanVersion } from '../db/queries/rate-plans.ts';
import { currentRatePlan } from '../db/queries/rentals.ts';
import type { BookedChoices } from '../domain/booking.ts';
import { driversOf } from '../domain/pricing.ts';
import type { RatePlan } from '../domain/rate-plan.ts';
import { rowAccessOf } from './auth/scope.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { ProblemError } from './problems.ts';

type Asked = {
  readonly rate?: string | null | undefined;
  readonly driverAges?: readonly number[] | undefined;
};

/** By the plan of now for a class at a branch, or by the version that was booked. */
type Priced =
  | { readonly branchId: string; readonly classId: string }
  | { readonly planId: string; readonly planVersion: number };

/**
 * The same with the drivers' age bands instead of their ages, which go no further than here. Only
 * for ages the plan of what is `priced` is looked up. Throws 403 for a negotiated rate that is not the caller's to ask for.
 */
export async function withBands<A extends Asked>(
  c: Context<ApiEnv>,
  { db }: Pick<ApiDeps, 'db'>,
  asked: A,
  priced: Priced,
): Promise<Omit<A, 'driverAges'> & Pick<BookedChoices, 'drivers'>> {
  assertRate(c, asked.rate);
  const { driverAges, ...rest } = asked;
  if (driverAges === undefined) return rest;
  const plan = await planOf(db, priced);
  return plan === undefined ? rest : { ...rest, drivers: driversOf(driverAges, plan) };
}

async function planOf(db: Db, priced: Priced): Promise<RatePlan | undefined> {
  if ('classId' in priced) return currentRatePlan(db, priced);
  return (await ratePlanVersion(db, priced.planId, priced.planVersion))?.terms;
}

/**
 * What a company pays is its own affair: only staff quote and book by any negotiated rate, partners
 * by those that are theirs; others do not exist for them, whether a plan has them or not (422).
 */
export function assertRate(c: Context<ApiEnv>, rate: string | null | undefined): void {
  const { actor, rates } = c.get('caller');
  if (!rate || actor.kind === 'staff') return;
  if (actor.kind === 'partner') {
    if (rates.includes(rate)) return;
    const more = { of: 'rate', code: rate };
    throw new ProblemError('unknown-reference', 'There is no such rate for you.', { more });
  }
  throw new ProblemError('forbidden', 'Only staff quote by a negotiated rate.');
}

/** Somebody else's quote does not exist for the caller: 422. */
export async function assertQuote(
  c: Context<ApiEnv>,
  { db }: Pick<ApiDeps, 'db'>,
  quoteId: string,
): Promise<void> {
  if ((await heldQuoteById(db, rowAccessOf(c), quoteId)) !== undefined) return;
  throw new ProblemError('unknown-reference', 'There is no such quote.', { more: { of: 'quote' } });
}
