// What a branch manager lets pass: the reason is kept apart, because it is free text.
import type { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { grantOverride } from '../db/commands/booking-overrides.ts';
import type { BookingOverride } from '../domain/booking.ts';
import { rowAccessOf } from './auth/scope.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { ProblemError } from './problems.ts';
import type { Override } from './schemas/rentals.ts';

/**
 * Keeps the reason, and hands on what is let pass; `anew` replaces an earlier reason. Throws 403 for
 * who is no branch manager.
 */
export async function overriding(
  c: Context<ApiEnv>,
  { db }: ApiDeps,
  rentalId: string,
  { reason, stopSell, overbook }: z.infer<typeof Override>,
  options: { readonly anew?: boolean } = {},
): Promise<BookingOverride> {
  if (!c.get('caller').roles.includes('branch-manager')) {
    throw new ProblemError('forbidden', 'Only a branch manager may override a refusal.');
  }
  await grantOverride(db, rowAccessOf(c), rentalId, reason, options);
  return { stopSell: stopSell === true, overbook: overbook ?? 0 };
}
