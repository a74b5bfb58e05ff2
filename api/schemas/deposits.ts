// Deposits as they are asked for and shown: holds on cards, never the cards themselves.
import { z } from '@hono/zod-openapi';
import type { HoldOfRental } from '../../db/queries/deposits.ts';
import {
  captureLimit,
  type Hold as HeldHold,
  HOLD_STATES,
  PAYERS,
  REFUND_REASONS,
  WAIVER_REASONS,
} from '../../domain/payments/deposit.ts';
import { BranchId, Currency, Id, Minor, pageQuery, UtcInstant } from './common.ts';

/** Nobody's deposit is more; below what any network takes in one order. */
const MAX_MINOR = 99_999_999;
const Amount = z.int().min(1).max(MAX_MINOR).openapi({
  description: 'Minor units of the rental’s currency',
  example: 50_000,
});

export const PaymentMethod = z
  .string()
  .regex(/^(?![0-9 -]{8,}$)[A-Za-z0-9_-]{1,120}$/, 'must be a reference, never a card number')
  .openapi({ description: 'The gateway’s reference to the card', example: 'sim_approve' });

export const NewDeposit = z
  .strictObject({
    amountMinor: Amount,
    paymentMethod: PaymentMethod,
    payer: z.enum(PAYERS).default('renter'),
  })
  .openapi('NewDeposit');

export const DepositAmount = z.strictObject({ amountMinor: Amount }).openapi('DepositAmount');

export const DepositRefund = z
  .strictObject({
    authorisationId: Id.openapi({ description: 'The hold that was captured' }),
    amountMinor: Amount,
    reason: z.enum(REFUND_REASONS),
    approvalId: Id.nullable().default(null).openapi({
      description: 'Above one’s limit: an approval of kind refund, of this amount, for this rental',
    }),
  })
  .openapi('DepositRefund');

export const NewDepositWaiver = z
  .strictObject({
    amountMinor: Amount,
    reason: z.enum(WAIVER_REASONS),
    approvalId: Id.nullable().default(null).openapi({
      description:
        'Above one’s limit: an approval of kind fee-waiver, of this amount, for this rental',
    }),
  })
  .openapi('NewDepositWaiver');

const hold = {
  id: Id,
  payer: z.enum(PAYERS),
  state: z.enum(HOLD_STATES),
  amountMinor: Minor,
  capturedMinor: Minor,
  refundedMinor: Minor,
  /** What may be captured at most. */
  captureLimitMinor: Minor,
  currency: Currency,
  openedAt: UtcInstant.nullable(),
  validUntil: UtcInstant.nullable().openapi({ description: 'As the gateway says' }),
  replacedBy: Id.nullable(),
  attention: z.string().nullable().openapi({ description: 'Why a person has to look at it' }),
  version: z.int(),
};
export const DepositHold = z.object(hold).openapi('DepositHold');
export const ExpiringHold = z
  .object({ ...hold, rentalId: Id, branchId: BranchId })
  .openapi('ExpiringHold');

export const Deposit = z
  .object({
    rentalId: Id,
    neededMinor: Minor.openapi({ description: 'By the plan; without it no keys go out' }),
    waivedMinor: Minor.openapi({ description: 'What of that a manager let go' }),
    holds: z.array(DepositHold).readonly(),
  })
  .openapi('Deposit');

export const ExpiringList = z.object({
  ...pageQuery(Id),
  branchId: BranchId.optional(),
  attention: z
    .enum(['true', 'false'])
    .transform((given) => given === 'true')
    .optional()
    .openapi({ type: 'boolean', description: 'Those that a person has to look at' }),
});

export function holdView(given: HeldHold): z.infer<typeof DepositHold> {
  const { overcapturePercent: _, ...shown } = given;
  return { ...shown, captureLimitMinor: captureLimit(given) };
}

export function expiringView(given: HoldOfRental): z.infer<typeof ExpiringHold> {
  const { rentalId, branchId } = given;
  return { ...holdView(given), rentalId, branchId };
}
