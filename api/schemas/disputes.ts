// Disputes as they are shown, and what writing one off takes.
import { z } from '@hono/zod-openapi';
import { DISPUTE_STATES } from '../../domain/payments/dispute.ts';
import { Currency, Id, Minor, pageQuery, text, UtcInstant } from './common.ts';

const State = z.enum(DISPUTE_STATES).openapi({
  description: 'A lost one is written off by two people; a rental is charged again after a won one',
});

export const Dispute = z
  .object({
    id: Id,
    rentalId: Id,
    authorisationId: Id.openapi({ description: 'The hold that the payment was captured from' }),
    state: State,
    amountMinor: Minor,
    feeMinor: Minor,
    currency: Currency,
    openedAt: UtcInstant,
    closedAt: UtcInstant.nullable(),
    version: z.int(),
  })
  .openapi('Dispute');

export const DisputeList = z.object({
  ...pageQuery(Id),
  state: State.optional(),
  rentalId: Id.optional(),
});

export const DisputeWriteOff = z
  .strictObject({
    approvalId: Id.openapi({
      description: 'An approval of kind write-off, for this dispute and exactly its amount',
    }),
    reason: text(200),
  })
  .openapi('DisputeWriteOff');
