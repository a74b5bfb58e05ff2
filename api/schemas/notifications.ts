// Notifications as they are listed, and what a customer does not want to be written to about.
import { z } from '@hono/zod-openapi';
import type { CustomerRow } from '../../db/commands/customers.ts';
import type { NotificationRow } from '../../db/commands/notifications.ts';
import {
  NOTIFICATION_KINDS,
  NOTIFICATION_STATES,
  OPTIONAL_KINDS,
} from '../../domain/notification.ts';
import { Id, pageQuery, UtcInstant } from './common.ts';

const Kind = z.enum(NOTIFICATION_KINDS);
const State = z.enum(NOTIFICATION_STATES).openapi({
  description:
    'unknown: perhaps sent, nothing but a person sends it again; skipped: there was a reason not to',
});

export const Notification = z
  .object({
    id: Id,
    rentalId: Id,
    kind: Kind,
    state: State,
    reason: z.string().nullable().openapi({
      description: 'Why it was not sent, or not yet; a mail server’s refusal by its number',
      example: 'EENVELOPE 550',
    }),
    tries: z.int(),
    resends: z.int().openapi({ description: 'How often a person had it sent again' }),
    factAt: UtcInstant,
    nextAt: UtcInstant.nullable().openapi({ description: 'While queued: when it is tried next' }),
    sentAt: UtcInstant.nullable(),
    version: z.int(),
  })
  .openapi('Notification');

export const NotificationList = z.object({
  ...pageQuery(Id),
  rentalId: Id.optional(),
  state: State.optional(),
  kind: Kind.optional(),
});

const optOuts = z.array(z.enum(OPTIONAL_KINDS)).max(OPTIONAL_KINDS.length);

export const NotificationSettings = z
  .object({
    customerId: Id,
    language: z.string().openapi({ description: 'English is written where we have no other' }),
    optOuts: optOuts.readonly().openapi({ description: 'Kinds that are not sent' }),
  })
  .openapi('NotificationSettings');

export const NotificationSettingsChange = z
  .strictObject({ optOuts })
  .openapi('NotificationSettingsChange');

export function notificationView(row: NotificationRow): z.infer<typeof Notification> {
  return {
    id: row.id,
    rentalId: row.rental_id,
    kind: row.kind,
    state: row.state,
    reason: row.reason,
    tries: row.tries,
    resends: row.resends,
    factAt: row.fact_at,
    nextAt: row.state === 'queued' ? row.next_at : null,
    sentAt: row.sent_at,
    version: row.version,
  };
}

export function settingsView(row: CustomerRow): z.infer<typeof NotificationSettings> {
  const wanted = OPTIONAL_KINDS.filter((kind) => row.opt_outs.includes(kind));
  return { customerId: row.id, language: row.language, optOuts: wanted };
}
