// Facts and what was counted from them, as shown to integrators and planners.
import { z } from '@hono/zod-openapi';
import { UtcInstant } from './common.ts';

const CloudEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string(),
    source: z.string(),
    type: z.string().openapi({ example: 'forecourt.rental.checked-out.v1' }),
    subject: z.string(),
    time: UtcInstant,
    datacontenttype: z.literal('application/json'),
    sequence: z.string().openapi({ description: 'Rises by one with each fact about the subject' }),
    traceparent: z.string().optional(),
    data: z.looseObject({}),
  })
  .openapi('CloudEvent');

export const Facts = z
  .object({
    items: z
      .array(
        z.object({
          status: z.enum(['published', 'pending', 'parked']),
          publishedAt: UtcInstant.nullable(),
          event: CloudEvent,
        }),
      )
      .readonly(),
  })
  .openapi('Facts');

const count = z.int();

export const ActivityQuery = z.strictObject({
  from: z.iso.date().optional(),
  to: z.iso.date().optional(),
});

export const BranchActivity = z
  .object({
    days: z
      .array(
        z.object({
          day: z.string().openapi({ format: 'date' }),
          reserved: count,
          checkedOut: count,
          extended: count,
          checkedIn: count,
          cancelled: count,
          noShows: count,
          overdue: count,
        }),
      )
      .readonly(),
  })
  .openapi('BranchActivity');
