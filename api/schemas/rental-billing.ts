// The cycles of a long rental as shown. Amounts are minor units of the currency beside.
import { z } from '@hono/zod-openapi';
import { BILLING_CYCLES } from '../../domain/rate-plan-terms.ts';
import { Currency, Id, Minor, UtcInstant } from './common.ts';

export const BilledCycles = z
  .object({
    billingCycle: z.enum(BILLING_CYCLES).nullable(),
    cycleEndsAt: UtcInstant.nullable().openapi({ description: 'Of the cycle billed next' }),
    arrears: z.boolean(),
    items: z
      .array(
        z.object({
          cycle: z.int().openapi({ example: 1 }),
          serviceFrom: UtcInstant,
          serviceTo: UtcInstant,
          taxPoint: z.string().openapi({ format: 'date', description: 'The last day' }),
          currency: Currency,
          netMinor: Minor.openapi({
            description: 'Of its documents; a customer sees the own ones',
          }),
          totalMinor: Minor,
          invoiceId: Id.nullable().openapi({
            description: 'Of the primary payer; null where the cycle added nothing',
          }),
          invoiceNumber: z.string().nullable(),
          payableBy: UtcInstant.nullable().openapi({
            description: 'Unpaid then, it is in arrears',
          }),
          openMinor: Minor,
          documents: z
            .array(
              z.object({
                payerId: Id,
                netMinor: Minor,
                totalMinor: Minor,
                invoiceId: Id,
                invoiceNumber: z.string(),
                payableBy: UtcInstant,
                openMinor: Minor,
              }),
            )
            .readonly()
            .openapi({ description: 'One for each payer' }),
        }),
      )
      .readonly(),
  })
  .openapi('BilledCycles');
