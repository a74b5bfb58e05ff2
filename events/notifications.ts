// Queues a letter for each fact that a customer is written to about; senders do the rest.
import { queueNotices } from '../db/commands/notifications.ts';
import { topicOf } from '../domain/events.ts';
import { noticeOf } from '../domain/notification.ts';
import type { ConsumerPlan } from './consumer.ts';

/** No letter goes out here: a mail server that is slow, or down, must not hold up the facts. */
export const notifications: ConsumerPlan = {
  name: 'notifications',
  topics: [topicOf('rentals'), topicOf('accounting'), topicOf('vehicles')],
  handle: (tx, events) =>
    queueNotices(
      tx,
      events.flatMap((event) => noticeOf(event) ?? []),
    ),
};
