// Money of rentals that no document took, as it is asked for and shown. Amounts in minor units.
import { z } from '@hono/zod-openapi';
import { BranchId, Currency, EntityId, Id, Minor, pageQuery, UtcInstant } from './common.ts';

export const HeldMoney = z
  .object({
    rentalId: Id,
    number: z.string().openapi({ example: 'RA-1000' }),
    status: z.string().openapi({ example: 'closed' }),
    entityId: EntityId,
    branchId: BranchId,
    customerId: Id,
    currency: Currency,
    depositMinor: Minor.openapi({ description: 'As security deposits, in money' }),
    unappliedMinor: Minor.openapi({ description: 'Paid or credited beyond all its documents' }),
    toPayBack: z.boolean().openapi({ description: 'The rental is over: it is to go back' }),
    since: UtcInstant,
    days: z.int(),
  })
  .openapi('HeldMoney');

const filter = {
  entityId: EntityId.optional(),
  branchId: BranchId.optional(),
  toPayBack: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .openapi({ type: 'boolean' }),
};

export const HeldMoneyList = z.strictObject({ ...pageQuery(Id), ...filter });
export const HeldAgeingQuery = z.strictObject(filter);

export const HeldAgeing = z
  .object({
    items: z
      .array(
        z.object({
          entityId: EntityId,
          currency: Currency,
          depositMinor: Minor.openapi({ description: 'What its account of deposits has' }),
          to30Minor: Minor,
          to60Minor: Minor,
          to90Minor: Minor,
          over90Minor: Minor,
          unappliedMinor: Minor,
          toPayBackMinor: Minor.openapi({
            description: 'Of both, what is of rentals that are over',
          }),
        }),
      )
      .readonly(),
  })
  .openapi('HeldAgeing');
