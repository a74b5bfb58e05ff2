// Travel times between branches as they are set and shown.
import { z } from '@hono/zod-openapi';
import type { TravelTimeRow } from '../../db/queries/travel-times.ts';
import { BranchId } from './common.ts';

const time = {
  fromBranchId: BranchId,
  toBranchId: BranchId,
  minutes: z.int().min(0).max(20_160).openapi({
    description: 'Of the way back too, as long as that has none of its own',
  }),
};

export const NewTravelTime = z
  .strictObject(time)
  .refine(({ fromBranchId, toBranchId }) => fromBranchId !== toBranchId, {
    message: 'must be another branch',
    path: ['toBranchId'],
  })
  .openapi('NewTravelTime');

export const TravelTime = z.object({ ...time, version: z.int() }).openapi('TravelTime');

export const TravelTimeList = z.strictObject({
  branchId: BranchId.optional().openapi({ description: 'At either end' }),
});

export function travelTimeView(row: TravelTimeRow): z.infer<typeof TravelTime> {
  const { minutes, version } = row;
  return { fromBranchId: row.from_branch, toBranchId: row.to_branch, minutes, version };
}
