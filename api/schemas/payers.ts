// Payers of a rental as they are set and shown.
import { z } from '@hono/zod-openapi';
import { PAYER_KINDS } from '../../domain/payer-share.ts';
import { Id } from './common.ts';

export const Code = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,59}$/);

const Share = z
  .strictObject({
    payerId: Id,
    kind: z.enum(PAYER_KINDS),
    covers: z.array(Code).max(20).readonly().default([]).openapi({
      description: 'Codes of lines, or their first part, that are paid whole: `time`',
    }),
    percentBp: z.int().min(0).max(10_000).default(0).openapi({
      description: 'Of all other lines, in hundredths of a per cent',
    }),
    voucherNetMinor: z.int().min(1).max(1_000_000_000).nullable().default(null).openapi({
      description: 'Of a broker’s voucher: its net rate, invoiced instead of its lines',
    }),
    paymentDays: z.int().min(0).max(90).nullish().openapi({
      description:
        'From the issue of its invoices on; left out, the payer’s own terms, else at once',
    }),
    isPrimary: z.boolean().default(false).openapi({ description: 'Pays what nobody else does' }),
  })
  .openapi('PayerShare');

export const NewPayers = z
  .strictObject({ shares: z.array(Share).min(1).max(10).readonly() })
  .openapi('NewPayers');

export const Payers = z
  .object({ rentalId: Id, version: z.int(), shares: z.array(Share).readonly() })
  .openapi('Payers');
