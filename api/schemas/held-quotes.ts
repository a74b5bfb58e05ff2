// Quotes that keep a vehicle, as they are asked for and shown.
import { z } from '@hono/zod-openapi';
import { type HeldQuote as Held, statusAt } from '../../domain/held-quote.ts';
import { BranchId, ClassId, Id, Instant, UtcInstant } from './common.ts';
import { choiceFields, Price } from './quotes.ts';

const CHANNELS = ['online', 'corporate', 'partner'] as const;

export const NewHeldQuote = z
  .strictObject({
    branchId: BranchId,
    returnBranchId: BranchId.optional(),
    classId: ClassId,
    customerId: Id.nullable().default(null),
    channel: z
      .enum(CHANNELS)
      .openapi({ description: 'Held for 24 hours where it is corporate, else for 15 minutes' }),
    pickUpAt: Instant,
    dueAt: Instant,
    ...choiceFields,
  })
  .openapi('NewHeldQuote');

export const HeldQuote = z
  .object({
    id: Id,
    status: z.enum(['held', 'accepted', 'released', 'expired']),
    branchId: BranchId,
    returnBranchId: BranchId,
    classId: ClassId,
    customerId: Id.nullable(),
    channel: z.enum(CHANNELS),
    pickUpAt: UtcInstant,
    dueAt: UtcInstant,
    heldUntil: UtcInstant.openapi({ description: 'At most until two hours before pick-up' }),
    price: Price,
    rentalId: Id.nullable(),
    version: z.int(),
  })
  .openapi('HeldQuote');

export function heldQuoteView(quote: Held, now: string): z.infer<typeof HeldQuote> {
  return { ...quote, status: statusAt(quote, now) };
}
