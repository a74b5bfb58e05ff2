// The audit log as it is shown: who did what, to what, when, why and from where.
import { z } from '@hono/zod-openapi';
import { Id, Instant, pageQuery, text, UtcInstant } from './common.ts';

export const AuditEntry = z
  .object({
    id: Id,
    at: UtcInstant,
    actor: z.string().openapi({ example: 'staff:01980a5d-ac96-774b-bcce-b302099a8057' }),
    action: z.string().openapi({ example: 'rental.check-out' }),
    subjectType: z.string().openapi({ example: 'rental' }),
    subjectId: z.string(),
    commandId: z.string().nullable(),
    reason: z.string().nullable(),
    before: z.looseObject({}).nullable(),
    after: z.looseObject({}).nullable(),
    origin: z
      .string()
      .nullable()
      .openapi({ description: 'Address and request; null for what the system did by itself' }),
    position: z
      .int()
      .nullable()
      .openapi({ description: 'Its place in the chain of seals; null for some seconds' }),
  })
  .openapi('AuditEntry');

export const AuditList = z.strictObject({
  ...pageQuery(Id),
  actor: text(100).optional(),
  action: text(100).optional(),
  subjectType: text(50).optional(),
  subjectId: text(100).optional(),
  commandId: text(200).optional(),
  from: Instant.optional().openapi({ description: 'Recorded at this instant or after it' }),
  until: Instant.optional().openapi({ description: 'Recorded before this instant' }),
  report: z.enum(['overrides', 'back-dated']).optional().openapi({
    description: 'Only what was done with a reason, or only what took effect before its record',
  }),
});
