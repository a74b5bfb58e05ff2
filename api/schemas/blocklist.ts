// Blocks of customers as they are set and shown, to those who may know why.
import { z } from '@hono/zod-openapi';
import type { BlockRow } from '../../db/commands/blocklist.ts';
import { BLOCK_CAUSES } from '../../domain/customer.ts';
import { Id, Instant, pageQuery, text, UtcInstant } from './common.ts';

export const NewBlock = z
  .strictObject({
    cause: z.enum(BLOCK_CAUSES),
    reason: text(500).openapi({ description: 'For those who may read the blocklist' }),
    until: Instant.optional().openapi({ description: 'Left out: until it is lifted' }),
  })
  .openapi('NewBlock');

export const LiftBlock = z.strictObject({ reason: text(500) }).openapi('LiftBlock');

export const Block = z
  .object({
    id: Id,
    customerId: Id,
    cause: z.string().openapi({ enum: [...BLOCK_CAUSES] }),
    reason: z.string(),
    blockedBy: z.string(),
    blockedAt: UtcInstant,
    until: UtcInstant.nullable(),
    liftedAt: UtcInstant.nullable(),
    liftedBy: z.string().nullable(),
    liftReason: z.string().nullable(),
  })
  .openapi('Block');

export const BlockList = z.strictObject(pageQuery(Id));

export function blockView(row: BlockRow) {
  return {
    id: row.id,
    customerId: row.customer_id,
    cause: row.cause,
    reason: row.reason,
    blockedBy: row.blocked_by,
    blockedAt: row.created_at,
    until: row.until,
    liftedAt: row.lifted_at,
    liftedBy: row.lifted_by,
    liftReason: row.lift_reason,
  };
}
