// Erasure and export of a person's data, as requests and answers.
import { z } from '@hono/zod-openapi';
import { Id, Instant } from './common.ts';
import { Licence } from './licences.ts';

export const NewErasure = z
  .strictObject({
    approvalId: Id.openapi({ description: 'Of an approval of kind `erasure` for this customer' }),
  })
  .openapi('NewErasure');

export const Erasure = z
  .object({
    customerId: Id,
    status: z.enum(['contacts-erased', 'erased']),
    keptUntil: Instant.nullable().openapi({
      description: 'The name stays on invoices until then, because the law keeps these',
    }),
  })
  .openapi('Erasure');

export const PersonalData = z
  .object({
    customer: z.record(z.string(), z.unknown()),
    licence: Licence.nullable(),
    merged: z.array(z.record(z.string(), z.unknown())),
    blocks: z.array(z.record(z.string(), z.unknown())),
    contactOf: z.array(z.record(z.string(), z.unknown())),
    drives: z.array(z.record(z.string(), z.unknown())),
    rentals: z.array(z.record(z.string(), z.unknown())),
    violations: z.array(z.record(z.string(), z.unknown())),
    invoices: z.array(z.record(z.string(), z.unknown())),
    audit: z.array(z.record(z.string(), z.unknown())),
  })
  .openapi('PersonalData');
