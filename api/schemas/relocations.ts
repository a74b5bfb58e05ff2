// Relocations: the proposal as it is asked for and shown, and the moves that are chosen.
import { z } from '@hono/zod-openapi';
import { balanceOf, type PoolOutlook, type RelocationMove } from '../../domain/relocation.ts';
import { BranchId, ClassId, Instant, UtcInstant } from './common.ts';

const MAX_DAYS = 31;
const DAY_MS = 86_400_000;
const numbers = z.array(z.int()).readonly();

export const RelocationQuery = z.strictObject({
  from: Instant.optional().openapi({ description: 'Left out, now' }),
  days: z
    .string()
    .regex(/^[0-9]{1,2}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(2).max(MAX_DAYS))
    .default(14)
    .openapi({ type: 'integer', minimum: 2, maximum: MAX_DAYS, default: 14 }),
});

export const RelocationProposal = z
  .object({
    from: UtcInstant.openapi({ description: 'The first day of 24 hours begins here' }),
    pools: z
      .array(
        z.object({
          branchId: BranchId,
          classId: ClassId,
          free: numbers.openapi({ description: 'Vehicles that are there, unbooked, not held' }),
          movable: numbers.openapi({ description: 'Of these, booked by nobody from then on' }),
          waiting: numbers.openapi({ description: 'Bookings without a vehicle' }),
          balance: numbers.openapi({ description: 'Surplus, or shortage below 0' }),
        }),
      )
      .readonly(),
    moves: z
      .array(
        z.object({
          fromBranchId: BranchId,
          toBranchId: BranchId,
          classId: ClassId,
          count: z.int(),
          leavesAt: UtcInstant.openapi({ description: 'Within 24 hours from then' }),
          neededAt: UtcInstant,
        }),
      )
      .readonly(),
  })
  .openapi('RelocationProposal');

/** One vehicle of a proposed move; the driver is named when the drive begins. */
export const NewRelocation = z
  .strictObject({
    fromBranchId: BranchId,
    toBranchId: BranchId,
    classId: ClassId,
    departsAt: Instant,
  })
  .openapi('NewRelocation');

export function proposalView(
  from: string,
  pools: readonly PoolOutlook[],
  moves: readonly RelocationMove[],
): z.infer<typeof RelocationProposal> {
  const dayAt = (day: number) => new Date(Date.parse(from) + day * DAY_MS).toISOString();
  return {
    from,
    pools: pools.map((pool) => ({ ...pool, balance: balanceOf(pool) })),
    moves: moves.map(({ leavesOn, neededOn, ...move }) => ({
      ...move,
      leavesAt: dayAt(leavesOn),
      neededAt: dayAt(neededOn),
    })),
  };
}
