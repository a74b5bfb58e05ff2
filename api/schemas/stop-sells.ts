// Stop-sell rules as they are sent and shown.
import { z } from '@hono/zod-openapi';
import type { StopSellRow } from '../../db/commands/stop-sells.ts';
import { CHANNELS, type Channel, STOP_KINDS, type StopKind } from '../../domain/stop-sell.ts';
import { BranchId, ClassId, Id, pageQuery, text, UtcInstant } from './common.ts';

const LocalDate = z.iso.date().openapi({ example: '2027-12-24' });

export const NewStopSell = z
  .strictObject({
    branchId: BranchId.nullable().default(null).openapi({ description: 'null: all branches' }),
    classId: ClassId.nullable().default(null).openapi({ description: 'null: all classes' }),
    channel: z.enum(CHANNELS).nullable().default(null).openapi({ description: 'null: all' }),
    kind: z.enum(STOP_KINDS).default('stay').openapi({
      description: 'What may not fall on the dates: pick-up, any part of the rental, or return',
    }),
    fromDate: LocalDate,
    toDate: LocalDate.openapi({ description: 'Included' }),
    reason: text(200),
  })
  .refine(({ fromDate, toDate }) => fromDate <= toDate, {
    message: 'must not end before it begins',
    path: ['toDate'],
  })
  .openapi('NewStopSell');

export const StopSell = z
  .object({
    id: Id,
    branchId: BranchId.nullable(),
    classId: ClassId.nullable(),
    channel: z.enum(CHANNELS).nullable(),
    kind: z.enum(STOP_KINDS),
    fromDate: LocalDate,
    toDate: LocalDate,
    reason: z.string(),
    endedAt: UtcInstant.nullable(),
    version: z.int(),
  })
  .openapi('StopSell');

export const StopSellList = z.strictObject({
  ...pageQuery(Id),
  branchId: BranchId.optional(),
  classId: ClassId.optional(),
  open: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .openapi({ type: 'boolean' }),
});

export function stopSellView(row: StopSellRow): z.infer<typeof StopSell> {
  return {
    id: row.id,
    branchId: row.branch_id,
    classId: row.class_id,
    channel: row.channel as Channel | null,
    kind: row.kind as StopKind,
    fromDate: row.from_date,
    toDate: row.to_date,
    reason: row.reason,
    endedAt: row.ended_at,
    version: row.version,
  };
}
