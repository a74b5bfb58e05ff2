// Documents that came after the return, as they are shown.
import { z } from '@hono/zod-openapi';
import type { LateChargeRow } from '../../db/commands/late-charges.ts';
import { LATE_CHARGE_REASONS, LATE_CHARGE_STATES, LATE_SOURCES } from '../../domain/late-charge.ts';
import { BranchId, Currency, EntityId, Id, Minor, pageQuery, UtcInstant } from './common.ts';

export const LateCharge = z
  .object({
    id: Id,
    invoiceId: Id,
    rentalId: Id,
    customerId: Id,
    branchId: BranchId,
    entityId: EntityId,
    source: z.enum(LATE_SOURCES),
    sourceId: Id.openapi({ description: 'Of the toll or fine, or of the damage case' }),
    currency: Currency,
    state: z.enum(LATE_CHARGE_STATES).openapi({
      description: 'settled: nothing was open any more; invoice: it is to be paid otherwise',
    }),
    reason: z
      .enum(LATE_CHARGE_REASONS)
      .nullable()
      .openapi({ description: 'Why it stays an invoice' }),
    chargeUntil: UtcInstant.nullable().openapi({
      description: 'The end of the window that the renter agreed to',
    }),
    authorisationId: Id.nullable().openapi({ description: 'Refunds name it' }),
    chargedMinor: Minor.nullable(),
    askedAt: UtcInstant,
    endedAt: UtcInstant.nullable(),
  })
  .openapi('LateCharge');

export const LateChargeList = z.strictObject({
  ...pageQuery(Id),
  state: z.enum(LATE_CHARGE_STATES).optional(),
  rentalId: Id.optional(),
  branchId: BranchId.optional(),
});

export function lateChargeView({
  version: _version,
  ...row
}: LateChargeRow): z.infer<typeof LateCharge> {
  return row;
}
